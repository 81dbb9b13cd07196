/** Text that must not be printed: codes, secrets, recipients. Redacted by type in logs, JSON and inspection. */
import { inspect } from 'node:util';

export class Secret<T extends string = string> {
  readonly #value: T;
  constructor(value: T) {
    this.#value = value;
  }
  /** The clear text; call it only where it leaves for its purpose. */
  reveal(): T {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}
