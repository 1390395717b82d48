import { SeededRandom } from "lockstep/base";
import { Space, type Ref, type Snapshot } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import type { Key } from "../../src/stm/key.js";
import { itemsOf, Past, type Item, type Reader } from "./past.js";

const keys: Key[] = [1, 2, "1", "b"];
const colors = ["red", "blue", undefined];

/** A space and all of its past, to which the same is done. */
class Run {
  readonly space = new Space();
  readonly #random: SeededRandom;
  readonly #refs = Array.from({ length: 4 }, () => this.space.ref(0));
  readonly #items = itemsOf(this.space);
  readonly #past = new Past(this.#refs, this.#items);
  #readers: Reader[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  async step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.5) this.#commit();
    else if (dice < 0.65) this.#takeSnapshot();
    else if (dice < 0.75) this.#beginToRead();
    else await this.#endOne();
    for (const reader of this.#readers) this.#past.expectSeen(reader);
    this.#past.expectKept(this.space, this.#readers);
  }

  async end(): Promise<void> {
    while (this.#readers.length > 0) await this.#endOne();
    expect(this.space.versions.kept).toBe(0);
    this.#past.expectKept(this.space, []);
  }

  #commit(): void {
    const refs = new Map<Ref<number>, number>();
    const rows = new Map<Key, Item | undefined>();
    for (let left = 1 + this.#random.below(3); left > 0; left--) {
      if (this.#random.chance(0.4)) refs.set(this.#oneOf(this.#refs), this.#random.below(3));
      else rows.set(this.#oneOf(keys), this.#random.chance(0.4) ? undefined : this.#someItem());
    }
    this.space.atomicallySync((tx) => {
      for (const [ref, value] of refs) tx.set(ref, value);
      for (const [key, item] of rows) {
        if (item === undefined) tx.delete(this.#items, key);
        else tx.put(this.#items, key, item);
      }
    });
    this.#past.commit(refs, rows);
  }

  #takeSnapshot(): void {
    const snapshot = this.space.snapshot();
    this.#readers.push({ moment: this.#past.now, reads: snapshot, end: () => snapshot.end() });
  }

  #beginToRead(): void {
    const { promise: ended, resolve } = withResolvers();
    const transaction = this.space.atomically(
      async (tx) => {
        const end = () => {
          resolve();
          return transaction;
        };
        this.#readers.push({ moment: this.#past.now, reads: tx, end });
        await ended;
      },
      { readOnly: true },
    );
  }

  async #endOne(): Promise<void> {
    if (this.#readers.length === 0) return;
    const ended = this.#oneOf(this.#readers);
    this.#readers = this.#readers.filter((reader) => reader !== ended);
    await ended.end();
  }

  #someItem(): Item {
    return { color: this.#oneOf(colors), size: this.#random.below(2) };
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)]!;
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe("the past", () => {
  for (let seed = 0; seed < 30; seed++) {
    test(`is kept exactly as long as somebody sees it: seed ${seed}`, async () => {
      const run = new Run(seed);
      for (let left = 60; left > 0; left--) await run.step();
      await run.end();
    });
  }

  test("of a million updates nothing is left, with one short-lived snapshot at a time", () => {
    const space = new Space();
    const refs = Array.from({ length: 10 }, () => space.ref(0));
    const items = itemsOf(space);
    let snapshot: Snapshot | undefined;
    for (let count = 0; count < 1_000_000; count++) {
      if (count % 50 === 25) {
        expect(space.versions.kept).toBeLessThanOrEqual(25);
        snapshot?.end();
      }
      if (count % 50 === 0) {
        expect(space.versions.kept).toBe(0);
        snapshot = space.snapshot();
      }
      space.atomicallySync((tx) => {
        if (count % 5 > 0) tx.set(refs[count % 10]!, count);
        else if (count % 10 === 0) tx.put(items, count, { color: `color ${count}`, size: 1 });
        else tx.delete(items, count - 5);
      });
    }
    expect(items.rows.byKey.size).toBe(0);
    expect(items.rows.byIndex.map((values) => values.size)).toEqual([0, 0]);
    expect(refs.every(({ older }) => older === undefined)).toBe(true);
  });
});
