import { describe, expect, it } from 'vitest';
import { indexRow, underlyingOf } from '#shared/market/underlyings.ts';
import { readConfig } from '#streamer/config.ts';
import { Book } from '#streamer/enrich/book.ts';
import { accountSettings } from '#streamer/settings.ts';
import { instrumentRow } from '#test/support/frames.ts';

const INDEX = indexRow(underlyingOf('NIFTY')!);
const OPTION = instrumentRow({
  instrument_token: 14_512_642,
  name: 'NIFTY',
  tradingsymbol: 'NIFTY2681826050CE',
  instrument_type: 'CE',
  segment: 'NFO-OPT',
  exchange: 'NFO',
  expiry: '2026-08-18',
  strike: 26_050,
});

describe('a book', () => {
  it('forgets that an index was published when its claim ends and only pricing keeps it', () => {
    const book = new Book(accountSettings(readConfig({ REDIS_URL: 'redis://127.0.0.1:6379' })).book);
    book.publish(OPTION);
    book.publish(INDEX);
    const slot = book.get(INDEX.instrument_token)!;
    slot.seq = 7;
    expect(book.withdraw(INDEX.instrument_token)).toEqual([]);
    expect(slot).toMatchObject({ published: false, seq: 0 });
    book.publish(INDEX);
    expect(slot).toMatchObject({ published: true, seq: 0 });
  });
});
