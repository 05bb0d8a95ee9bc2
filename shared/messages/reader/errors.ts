export type TickReaderErrorCode =
  /** The options cannot be used. */
  | 'bad_options'
  /** Redis wants another user or password, or the user may not read what the reader needs. */
  | 'refused';

/** What ends the reading, other than its signal. */
export class TickReaderError extends Error {
  override readonly name = 'TickReaderError';
  readonly code: TickReaderErrorCode;

  constructor(code: TickReaderErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
