import { inputError } from './kite-error.ts';

/** Reads a request's fields one by one; whatever is wrong names its field, as the broker's messages do. */
export class Form {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: ReadonlyMap<string, string>) {
    this.#fields = fields;
  }

  static of(fields: Record<string, string>): Form {
    return new Form(new Map(Object.entries(fields)));
  }

  has(name: string): boolean {
    return (this.#fields.get(name) ?? '') !== '';
  }

  text(name: string): string {
    const value = this.#fields.get(name) ?? '';
    if (value === '') throw inputError(`Missing or empty field \`${name}\``);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[], fallback?: Choice): Choice {
    if (fallback !== undefined && !this.has(name)) return fallback;
    const value = this.text(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw inputError(`Invalid \`${name}\`: expected one of ${choices.join(', ')}`);
    return choice;
  }

  number(name: string, fallback?: number): number {
    if (fallback !== undefined && !this.has(name)) return fallback;
    const text = this.text(name);
    const value = Number(text);
    if (!/^-?\d{1,15}(\.\d+)?(e[+-]?\d{1,2})?$/i.test(text) || !Number.isFinite(value)) {
      throw inputError(`Invalid \`${name}\`: expected a number`);
    }
    return value;
  }

  /** A price: not negative and below a hundred million. */
  price(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (value < 0 || value >= 1e8) throw inputError(`Invalid \`${name}\`: expected 0 to 99,999,999`);
    return value;
  }

  integer(name: string, range: { min: number; max: number }, fallback?: number): number {
    const value = this.number(name, fallback);
    if (!Number.isInteger(value) || value < range.min || value > range.max) {
      throw inputError(`Invalid \`${name}\`: expected a whole number from ${range.min} to ${range.max}`);
    }
    return value;
  }

  boolean(name: string, fallback: boolean): boolean {
    if (!this.has(name)) return fallback;
    const value = this.text(name).toLowerCase();
    if (value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    throw inputError(`Invalid \`${name}\`: expected true or false`);
  }
}
