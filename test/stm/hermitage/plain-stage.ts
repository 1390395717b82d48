import { setImmediate as turn } from "node:timers/promises";
import { perform, type Access } from "./perform.js";
import type { Stage, Transaction } from "./play.js";
import type { Rows } from "./script.js";

/** A map that all transactions write in place, and that forgets nothing: whatever can go wrong does. */
export class PlainStage implements Stage, Access {
  readonly #values = new Map([
    [1, 10],
    [2, 20],
  ]);

  begin(): Transaction {
    return { run: (step) => perform(step, this) };
  }

  async settled(): Promise<void> {
    await turn();
  }

  rows(): Promise<Rows> {
    return this.where(() => true);
  }

  get(key: number): Promise<number | undefined> {
    return Promise.resolve(this.#values.get(key));
  }

  where(accepts: (value: number) => boolean): Promise<Rows> {
    return Promise.resolve([...this.#values].filter(([, value]) => accepts(value)));
  }

  put(key: number, value: number): Promise<void> {
    this.#values.set(key, value);
    return Promise.resolve();
  }

  delete(key: number): Promise<void> {
    this.#values.delete(key);
    return Promise.resolve();
  }
}
