import { setTimeout as sleep } from 'node:timers/promises';
import type { Box } from '../box.ts';
import { type Call, faultPath } from './call.ts';
import { KiteError } from './kite-error.ts';

/** Longer than the 7 s that every official client waits. */
const LOST_REPLY_MS = 10_000;

/**
 * A write with the faults that make its outcome uncertain. Orders meet `any` of them; a trigger or a conversion only those
 * whose `path` names it, so that a fault meant for the next order is not used up by something else.
 */
export async function withWriteFaults(
  box: Box,
  call: Call,
  which: 'any' | 'named',
  write: (lateMs: number) => unknown,
): Promise<unknown> {
  const { context, session } = call;
  const at = { account: session.user_id, path: faultPath(context), named: which === 'named' };
  const requestLost = box.faults.fire('order_request_lost', at);
  if (requestLost !== undefined) return lose(call, requestLost.ms);
  const isPlacement = which === 'any' && context.req.method === 'POST';
  const late = isPlacement ? box.faults.fire('order_late', at) : undefined;
  const reply = write(late === undefined ? 0 : (late.delay_ms ?? 5_000));
  const replyLost = box.faults.fire('order_reply_lost', at);
  if (replyLost !== undefined) return lose(call, replyLost.ms);
  if (box.faults.fire('order_check_book', at) !== undefined) {
    throw new KiteError(
      400,
      'OrderException',
      'Order request timed out. Please check the order book and confirm before placing again.',
    );
  }
  return reply;
}

/** No answer ever: the client's own time-out ends the wait, or after `ms` the connection breaks. */
async function lose(call: Call, ms = LOST_REPLY_MS): Promise<Response> {
  const { socket } = call.context.env.incoming;
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal, ref: false }).catch(() => undefined);
  socket.destroy();
  return new Response(null, { status: 504 });
}
