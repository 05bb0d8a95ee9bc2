import { Counter, Gauge, type Registry } from 'prom-client';
import type { AccountOrderCounts } from './counts.ts';
import type { OrderOutbox } from './outbox.ts';

/** Order frames in the registry; everything is read from the outbox when somebody asks. */
export function orderMetrics(registry: Registry, outbox: OrderOutbox): void {
  const perAccount = (name: string, help: string, value: (counts: AccountOrderCounts) => number) =>
    new Counter({
      name,
      help,
      labelNames: ['account_id'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [account_id, counts] of outbox.counts) this.inc({ account_id }, value(counts));
      },
    });
  perAccount('order_frames_sent_total', 'Order frames the queue took', (counts) => counts.framesSent);
  perAccount('order_syncs_total', 'Sync requests the queue took', (counts) => counts.syncsSent);
  perAccount('order_frames_copies_total', 'Frames another link brought before', (counts) => counts.copies);
  perAccount('order_frames_malformed_total', 'Frames not understood', (counts) => counts.malformed);
  new Counter({
    name: 'order_frames_dropped_total',
    help: 'Order frames that never reached the queue; a sync request stands for them',
    labelNames: ['account_id', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [account_id, { dropped }] of outbox.counts) {
        for (const [reason, times] of dropped) this.inc({ account_id, reason }, times);
      }
    },
  });
  new Counter({
    name: 'order_queue_failures_total',
    help: 'Requests to the order queue that failed or were refused in part',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(outbox.failuresTotal);
    },
  });
  const waiting = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  waiting('order_frames_waiting', 'Order frames that wait for their queue', () => outbox.waitingFrames);
  waiting('order_frames_waiting_bytes', 'Bytes of those', () => outbox.waitingBytes);
}
