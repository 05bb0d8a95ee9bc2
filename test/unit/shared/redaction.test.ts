import { describe, expect, it } from 'vitest';
import { REDACTED, redact } from '#shared/redaction.ts';

const logged = (value: unknown) => JSON.stringify(value, redact);

describe('what is logged', () => {
  it('has no secret under its own name, at any depth and in any case', () => {
    const secret = 's3cret';
    const line = logged({
      headers: { Authorization: secret, 'X-API-Key': secret },
      account: { password: secret, totp_secret: secret, api_secret: secret },
      session: [{ access_token: secret, enctoken: secret, request_token: secret }],
    });
    expect(line).not.toContain(secret);
    expect(line).toContain(REDACTED);
  });

  it('has none inside texts: query strings and the header of the broker', () => {
    const line = logged({
      url: 'wss://ws.kite.trade?api_key=abc&access_token=s3cret&uid=1',
      message: 'sent Authorization: token abc:s3cret to the broker',
    });
    expect(line).not.toContain('s3cret');
    expect(line).toContain('uid=1');
  });

  it('does not say who placed an order, as an object or as the text of a frame', () => {
    const order = { placed_by: 'AB1234', user_id: 'AB1234', guid: '01XXJ6YyNbGmvn', checksum: '2011845d' };
    const row = { ...order, order_id: '220303000308932', status: 'COMPLETE' };
    for (const line of [logged({ row }), logged({ text: JSON.stringify({ type: 'order', data: row }) })]) {
      for (const value of Object.values(order)) expect(line).not.toContain(value);
      expect(line).toContain('220303000308932');
      expect(line).toContain('COMPLETE');
    }
    expect(logged({ text: '{"type":"order","data":{"placed_by":"AB12' })).not.toContain('AB12');
  });

  it('keeps what is none', () => {
    const value = { instrument_token: 256265, tokens: [1], key_id: 'key_1', message: 'the token expired' };
    expect(logged(value)).toBe(JSON.stringify(value));
  });
});
