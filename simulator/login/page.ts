import { html } from 'hono/html';

const STYLE =
  'body{font:16px system-ui;max-width:22rem;margin:4rem auto}label{display:block;margin:.8rem 0}input{width:100%;padding:.4rem;box-sizing:border-box}button{padding:.5rem 1.5rem}.error{color:#b00}';

export function loginPage(apiKey: string, redirectParams: string, error: string) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Log in to the simulated broker</title><style>${STYLE}</style></head>
<body>
<h1>Log in</h1>
<p>The simulated broker, for the app <b>${apiKey}</b>.</p>
${error === '' ? '' : html`<p class="error" role="alert">${error}</p>`}
<form method="post" action="/connect/login">
<input type="hidden" name="api_key" value="${apiKey}">
<input type="hidden" name="redirect_params" value="${redirectParams}">
<label>User ID <input name="user_id" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label>TOTP <input name="totp" inputmode="numeric" pattern="[0-9]{6}" autocomplete="one-time-code" required></label>
<button>Log in</button>
</form>
</body>
</html>`;
}

export function confirmPage(requestToken: string) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Logged in</title><style>${STYLE}</style></head>
<body>
<h1>Logged in</h1>
<p>This app has registered no redirect address. The request token is</p>
<p><code id="request_token">${requestToken}</code></p>
</body>
</html>`;
}
