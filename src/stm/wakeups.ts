import type { Absent } from "./cell.js";
import type { Key } from "./key.js";
import type { Stored } from "./row.js";

/** One who sleeps until something that it has read changes. */
export class Sleeper {
  readonly #beds: Wakeups[] = [];
  #wake: (() => void) | undefined;
  readonly awake: Promise<void>;

  constructor() {
    this.awake = new Promise((resolve) => (this.#wake = resolve));
  }

  /** Lies down here, too. */
  joins(wakeups: Wakeups, isMeant?: IsMeant): void {
    this.#beds.push(wakeups);
    wakeups.add(this, isMeant);
  }

  /** Leaves nothing of it behind, wherever it lay. */
  wake(): void {
    for (const wakeups of this.#beds) wakeups.delete(this);
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** Whether a change of a row is one that the sleeper waits for. */
export type IsMeant = (key: Key, before: Stored | Absent, after: Stored | Absent) => boolean;

/** Those who wait for one thing to change. */
export class Wakeups {
  /** For each what it waits for, if not for any change at all: it may have read of one table in many ways. */
  readonly #sleepers = new Map<Sleeper, IsMeant[] | undefined>();

  get isEmpty(): boolean {
    return this.#sleepers.size === 0;
  }

  add(sleeper: Sleeper, isMeant: IsMeant | undefined): void {
    const meant = this.#sleepers.get(sleeper);
    if (isMeant === undefined) this.#sleepers.set(sleeper, undefined);
    else if (meant !== undefined) meant.push(isMeant);
    else if (!this.#sleepers.has(sleeper)) this.#sleepers.set(sleeper, [isMeant]);
  }

  delete(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }

  /** It has changed; of a table, this row. */
  tell(...row: Parameters<IsMeant> | []): void {
    if (this.isEmpty) return;
    for (const [sleeper, meant] of [...this.#sleepers]) {
      const isForAny = meant === undefined || row.length === 0;
      if (isForAny || meant.some((isMeant) => isMeant(...row))) sleeper.wake();
    }
  }
}
