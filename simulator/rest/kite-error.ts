/** The broker's documented names of errors (kite.trade/docs/connect/v3/exceptions), and one that only its Go client knows. */
type ErrorType =
  | 'TokenException'
  | 'UserException'
  | 'OrderException'
  | 'InputException'
  | 'MarginException'
  | 'HoldingException'
  | 'NetworkException'
  | 'DataException'
  | 'GeneralException'
  | 'PermissionException'
  | 'TwoFAException';

/** A refusal as the broker answers it: `{"status":"error","message","error_type"}` with this HTTP status. */
export class KiteError extends Error {
  readonly status: number;
  readonly error_type: string;
  readonly data: unknown;

  constructor(status: number, error_type: ErrorType | (string & {}), message: string, data: unknown = null) {
    super(message);
    this.status = status;
    this.error_type = error_type;
    this.data = data;
  }
}

export const inputError = (message: string) => new KiteError(400, 'InputException', message);
export const notFound = (message: string) => new KiteError(404, 'GeneralException', message);
