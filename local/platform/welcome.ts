import type { PlatformOutputs } from './outputs.ts';

/** What a newcomer needs next. */
export function welcome(outputs: PlatformOutputs, seconds: number): string {
  return `
Ready in ${seconds.toFixed(1)} s. Ctrl-C stops everything.

  API        ${outputs.api_url}
  API key    ${outputs.api_key}   (scopes read, subscribe, trade, admin)
  Simulator  ${outputs.simulator_url}
  Redis      ${outputs.redis_url}
  Streamer   ${outputs.streamer_url}/health
  All of it  .local/outputs.json

Next, in another terminal:

  curl -s -X POST ${outputs.api_url}/subscriptions \\
    -H 'X-API-Key: ${outputs.api_key}' -H 'Content-Type: application/json' \\
    -d '{"instrument_token":256265,"mode":"full"}'

  npm run watch
`;
}
