import { INSTRUMENT_COLUMNS } from '#shared/market/instruments-csv.ts';
import { HASH_START, type SymbolHash, step } from './symbol-hash.ts';

export class DumpError extends Error {
  readonly code = 'dump_unusable';
}

const [COMMA, COLON, QUOTE, NEWLINE, RETURN, ZERO] = [0x2c, 0x3a, 0x22, 0x0a, 0x0d, 0x30];
const TOKEN = INSTRUMENT_COLUMNS.indexOf('instrument_token');
const SYMBOL = INSTRUMENT_COLUMNS.indexOf('tradingsymbol');
const EXCHANGE = INSTRUMENT_COLUMNS.indexOf('exchange');
const HEADER = INSTRUMENT_COLUMNS.join(',');

/**
 * Reads which token names which symbol out of a dump's bytes, as they come and in pieces of any size. It makes no
 * string and no object a row: a dump of 114,000 rows passes beside the ticks without a pause worth mentioning.
 */
export class DumpScanner {
  rows = 0;
  readonly #onRow: (instrumentToken: number, symbol: SymbolHash) => void;
  readonly #hash: SymbolHash = { ...HASH_START };
  #header: string | undefined = '';
  #column = 0;
  #isQuoted = false;
  #token = 0;

  /** `symbol` is the same object at every call. */
  constructor(onRow: (instrumentToken: number, symbol: SymbolHash) => void) {
    this.#onRow = onRow;
  }

  /** @throws DumpError when these are not the broker's columns, or a row names no token */
  push(bytes: Uint8Array): void {
    let at = this.#header === undefined ? 0 : this.#readHeader(bytes);
    for (; at < bytes.length; at += 1) this.#take(bytes[at]!);
  }

  /** The last line may lack its end. @throws DumpError */
  end(): void {
    if (this.#header !== undefined) throw new DumpError('the dump has no rows');
    if (this.#column > 0) this.#endRow();
  }

  #take(byte: number): void {
    if (byte === QUOTE) this.#isQuoted = !this.#isQuoted;
    else if (this.#isQuoted) this.#inCell(byte);
    else if (byte === COMMA) this.#endCell();
    else if (byte === NEWLINE) this.#endRow();
    else if (byte !== RETURN) this.#inCell(byte);
  }

  #inCell(byte: number): void {
    if (this.#column === TOKEN) {
      const digit = byte - ZERO;
      this.#token = digit >= 0 && digit <= 9 ? this.#token * 10 + digit : Number.NaN;
    } else if (this.#column === SYMBOL || this.#column === EXCHANGE) step(this.#hash, byte);
  }

  /** The exchange stands behind the symbol in a row, so it does in what is hashed. */
  #endCell(): void {
    this.#column += 1;
    if (this.#column === EXCHANGE) step(this.#hash, COLON);
  }

  #endRow(): void {
    const isEmpty = this.#column === 0 && this.#token === 0;
    if (!isEmpty) {
      if (this.#column !== EXCHANGE || !(this.#token > 0)) {
        throw new DumpError(`row ${this.rows + 2} of the dump cannot be read`);
      }
      this.#onRow(this.#token, this.#hash);
      this.rows += 1;
    }
    this.#hash.a = HASH_START.a;
    this.#hash.b = HASH_START.b;
    this.#column = 0;
    this.#token = 0;
  }

  /** @returns where the first row begins in these bytes */
  #readHeader(bytes: Uint8Array): number {
    const end = bytes.indexOf(NEWLINE);
    this.#header += Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString('latin1');
    if (end < 0 && this.#header!.length <= HEADER.length + 1) return bytes.length;
    if (this.#header!.trimEnd() !== HEADER) throw new DumpError(`expected the columns ${HEADER}`);
    this.#header = undefined;
    return end + 1;
  }
}
