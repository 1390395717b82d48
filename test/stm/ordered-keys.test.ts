import { SeededRandom } from "lockstep/base";
import { describe, expect, test } from "vitest";
import { checkKey, compareKeys, type Key } from "../../src/stm/key.js";
import { OrderedMap, type KeyRange } from "../../src/stm/ordered-keys.js";

const inOrder: Key[] = [
  -Infinity,
  -2,
  -0.5,
  0,
  1e-9,
  2,
  10,
  Infinity,
  "",
  "10",
  "2",
  "Z",
  "a",
  "aa",
  "é",
  "\ud83d\ude00",
  "\uff5e",
];

describe("keys", () => {
  test("numbers come before strings, numbers by size, strings by code units", () => {
    for (const [i, a] of inOrder.entries()) {
      for (const [j, b] of inOrder.entries()) expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(i - j));
    }
    expect(compareKeys(-0, 0)).toBe(0);
  });

  test("all else is refused", () => {
    for (const key of [...inOrder, -0, NaN.toString()]) expect(() => checkKey(key, "a key")).not.toThrow();
    const refused = [NaN, 10n, true, null, undefined, Symbol("s"), {}, ["a"], () => "a", new String("a")];
    for (const key of refused) {
      expect(() => checkKey(key, "a key")).toThrow(expect.objectContaining({ code: "bad-input" }));
    }
    expect(() => checkKey(10n, "a key of it")).toThrow("a key of it must be a string or a number");
    expect(() => checkKey(10n, "a key")).toThrow("it is the bigint 10");
    expect(() => checkKey(NaN, "a key")).toThrow("it is NaN");
  });
});

/** The plainest thing that does the same. */
class Model {
  readonly values = new Map<Key, number>();

  range({ from, to, reverse = false }: KeyRange = {}): [Key, number][] {
    const found = [...this.values]
      .filter(([key]) => isWithin(key, { from, to }))
      .sort(([a], [b]) => compareKeys(a, b));
    return reverse ? found.reverse() : found;
  }
}

function isWithin(key: Key, { from, to }: KeyRange): boolean {
  return (
    (from === undefined || compareKeys(key, from) >= 0) && (to === undefined || compareKeys(key, to) < 0)
  );
}

/** A map and its model, to which the same is done. Chunks fill, split, empty and join. */
class Pair {
  readonly random: SeededRandom;
  readonly map = new OrderedMap<number>();
  readonly model = new Model();
  /** All that was deleted since this was last cleared, though it may have been set again. */
  readonly deleted = new Set<Key>();
  readonly #keys: number;
  #writes = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.#keys = [10, 300, 1_000, 5_000][seed % 4]!;
  }

  someKey(): Key {
    const number = this.random.below(this.#keys);
    return number % 3 === 0 ? `k${number}` : number - this.#keys / 2;
  }

  someRange(): KeyRange {
    const { random } = this;
    return {
      from: random.chance(0.5) ? this.someKey() : undefined,
      to: random.chance(0.5) ? this.someKey() : undefined,
      reverse: random.chance(0.5),
    };
  }

  set(key: Key): void {
    this.map.set(key, ++this.#writes);
    this.model.values.set(key, this.#writes);
  }

  delete(key: Key): void {
    this.deleted.add(key);
    expect(this.map.delete(key)).toBe(this.model.values.delete(key));
  }

  /** Many at once, in order or not; or all of a range goes. */
  step(): void {
    const { random } = this;
    const times = random.below(random.chance(0.1) ? this.#keys : 20);
    const chanceToDelete = random.next();
    const first = random.below(this.#keys);
    const way = random.below(4);
    for (let time = 0; time < times; time++) {
      const key = way === 0 ? first + time : way === 1 ? first - time : this.someKey();
      if (random.chance(chanceToDelete)) this.delete(key);
      else this.set(key);
    }
    if (random.chance(0.1)) for (const [key] of this.model.range(this.someRange())) this.delete(key);
  }

  mustBeEqual(): void {
    expect(this.map.size).toBe(this.model.values.size);
    const key = this.someKey();
    expect(this.map.get(key)).toBe(this.model.values.get(key));
    const range = this.someRange();
    expect([...this.map.range(range)]).toEqual(this.model.range(range));
  }
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe("an ordered map", () => {
  test("does as a Map does that is sorted when asked", () => {
    for (const seed of seeds) {
      const pair = new Pair(seed);
      for (let step = 0; step < 40; step++) {
        pair.step();
        pair.mustBeEqual();
      }
      expect([...pair.map.range()]).toEqual(pair.model.range());
      for (const [key] of pair.model.range()) pair.delete(key);
      expect([...pair.map.range()]).toEqual([]);
    }
  });

  test("can be changed while it is walked", () => {
    for (const seed of seeds) {
      const pair = new Pair(seed);
      while (pair.map.size < 5) pair.step();
      for (let walk = 0; walk < 15; walk++) mustBeWalkedWell(pair);
    }
  });

  test("tells what is changed ahead as it is then, and not what is deleted ahead", () => {
    const map = new OrderedMap<string>();
    for (const key of [1, 2, 3, 4]) map.set(key, "old");
    const told: unknown[] = [];
    for (const entry of map.range()) {
      told.push(entry);
      map.delete(2);
      map.set(3, "new");
    }
    expect(told).toEqual([
      [1, "old"],
      [3, "new"],
      [4, "old"],
    ]);
  });

  test("what was told stays as it was told", () => {
    const map = new OrderedMap<string>();
    map.set("a", "old");
    const told = [...map.range()];
    map.set("a", "new");
    expect(told).toEqual([["a", "old"]]);
  });

  test("a key that is deleted and set again ahead is told once at most, and never as it was", () => {
    const map = new OrderedMap<string>();
    for (const key of [1, 2, 3]) map.set(key, "old");
    const told: unknown[] = [];
    for (const [key, value] of map.range()) {
      told.push(`${key} ${value}`);
      if (key !== 1) continue;
      map.delete(3);
      map.set(3, "new");
    }
    expect(["1 old, 2 old", "1 old, 2 old, 3 new"]).toContain(told.join(", "));
  });

  test("holds undefined as a value, and takes -0 for 0", () => {
    const map = new OrderedMap<undefined>();
    map.set(-0, undefined);
    expect([...map.range()]).toEqual([[0, undefined]]);
    expect([...map.range({ from: 0, to: 1 })]).toEqual([[0, undefined]]);
    expect(map.delete(0)).toBe(true);
    expect(map.delete(-0)).toBe(false);
    expect(map.size).toBe(0);
  });

  test("a range that ends before it begins holds nothing", () => {
    const map = new OrderedMap<number>();
    for (let key = 0; key < 2_000; key++) map.set(key, key);
    for (const reverse of [false, true]) {
      for (const [from, to] of [
        [1_500, 20],
        [20, 20],
        ["a", 20],
        ["a", "b"],
      ] as const) {
        expect([...map.range({ from, to, reverse })]).toEqual([]);
      }
    }
  });
});

/** Between one entry and the next anything may happen; then what was told is judged by all that happened. */
function mustBeWalkedWell(pair: Pair): void {
  const { map, model, random } = pair;
  const range = pair.someRange();
  const before = model.range(range);
  pair.deleted.clear();
  const chanceOfChange = random.next() ** 3;
  const told: Key[] = [];
  for (const [key, value] of map.range(range)) {
    expect(value).toBe(model.values.get(key));
    told.push(key);
    if (random.chance(chanceOfChange)) pair.step();
  }
  for (const [i, key] of told.entries()) {
    expect(isWithin(key, range)).toBe(true);
    if (i === 0) continue;
    const order = compareKeys(told[i - 1]!, key);
    expect(range.reverse ? order > 0 : order < 0).toBe(true);
  }
  const seen = new Set(told);
  const stayed = before.filter(([key]) => !pair.deleted.has(key));
  expect(stayed.filter(([key]) => !seen.has(key))).toEqual([]);
}
