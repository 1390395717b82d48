import { SeededRandom } from "lockstep/base";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Contender } from "../../src/stm/contender.js";
import { compareKeys, type Key } from "../../src/stm/key.js";
import type { Lockable } from "../../src/stm/locks.js";
import { GaveWay } from "../../src/stm/signals.js";
import { Span, everything } from "../../src/stm/span.js";

const keys: Key[] = [-1, 0, 1, 2, 3, "", "a", "b"];

afterEach(() => {
  vi.restoreAllMocks();
});

/** A lock that somebody has or waits for, by the keys that it is of. */
interface Wish {
  readonly who: number;
  readonly keys: ReadonlySet<Key>;
  readonly isExclusive: boolean;
  readonly span: Span;
}

function exclude(a: Wish, b: Wish): boolean {
  return a.who !== b.who && (a.isExclusive || b.isExclusive) && [...a.keys].some((key) => b.keys.has(key));
}

/** One thing to be locked, and those who lock it: each waits for one lock at most. */
class Run {
  readonly #random: SeededRandom;
  readonly #on: Lockable = { rank: 1, what: "it", locks: undefined };
  readonly #contenders: Contender[];
  readonly #waiting: Wish[] = [];
  #held: Wish[] = [];
  /** Whom each who waits may be served before, though they came first. */
  readonly #passes = new Map<Wish, Set<Wish>>();

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#contenders = Array.from({ length: 5 }, (_, who) => new Contender(who + 1, true, false));
  }

  step(): void {
    const who = this.#random.below(this.#contenders.length);
    const contender = this.#contenders[who]!;
    if (this.#random.chance(0.25)) this.#release(who);
    else if (contender.waiting === undefined) this.#lock(this.#someWish(who));
    this.#notice();
    this.#check();
  }

  end(): void {
    while (this.#waiting.length + this.#held.length > 0) {
      for (const who of this.#contenders.keys()) this.#release(who);
      this.#notice();
    }
    expect(this.#on.locks).toBeUndefined();
  }

  #lock(wish: Wish): void {
    const contender = this.#contenders[wish.who]!;
    const mayHave = ![...this.#held, ...this.#waiting].some((other) => exclude(other, wish));
    const wait = contender.lock(this.#on, wish.span, wish.isExclusive);
    if (mayHave) expect(wait).toBeUndefined();
    if (wait === undefined) this.#held.push(wish);
    else {
      wait.catch(() => undefined);
      this.#passes.set(wish, new Set());
      this.#waiting.push(wish);
      this.#notePassed();
    }
  }

  #release(who: number): void {
    this.#contenders[who]!.withdraw(new GaveWay("enough"));
    this.#contenders[who]!.release();
    this.#held = this.#held.filter((wish) => wish.who !== who);
    const place = this.#waiting.findIndex((wish) => wish.who === who);
    if (place >= 0) this.#passes.delete(this.#waiting.splice(place, 1)[0]!);
  }

  /** Finds out who has been served, and who had to give way: that one gives back all that it has. */
  #notice(): void {
    for (let isQuiet = false; !isQuiet;) {
      const settled = this.#waiting.find(({ who }) => this.#contenders[who]!.waiting === undefined);
      isQuiet = settled === undefined;
      if (settled === undefined) continue;
      const { span, isExclusive, who } = settled;
      if (this.#contenders[who]!.holds(this.#on, span, isExclusive)) this.#serve(settled);
      else this.#release(who);
    }
  }

  #serve(served: Wish): void {
    const place = this.#waiting.indexOf(served);
    const before = this.#waiting.slice(0, place);
    const passed = this.#passes.get(served)!;
    const cheated = before.filter((ahead) => this.#waits(ahead) && exclude(ahead, served));
    expect(cheated.filter((ahead) => !passed.has(ahead))).toEqual([]);
    this.#waiting.splice(place, 1);
    this.#passes.delete(served);
    this.#held.push(served);
  }

  /** Who waits for what somebody has, or for such as do, is not kept waiting if that one goes first. */
  #notePassed(): void {
    for (const [wish, passed] of this.#passes) {
      const own = this.#held.filter(({ who }) => who === wish.who);
      const keeps = (other: Wish) => [...own, ...passed].some((ahead) => exclude(ahead, other));
      for (let size = -1; size < passed.size;) {
        size = passed.size;
        for (const other of this.#waiting) if (keeps(other)) passed.add(other);
      }
    }
  }

  #waits({ who }: Wish): boolean {
    return this.#contenders[who]!.waiting !== undefined;
  }

  #check(): void {
    const held = this.#held;
    expect(held.filter((one) => held.some((other) => exclude(one, other)))).toEqual([]);
    const holdings = this.#holdings((who, key, isExclusive) => this.#has(who, key, isExclusive));
    expect(holdings).toEqual(
      this.#holdings((who, key, isExclusive) =>
        held.some((wish) => wish.who === who && wish.keys.has(key) && (wish.isExclusive || !isExclusive)),
      ),
    );
    // Who waits has a reason: who has what it excludes, or came before it, or has a part and so went ahead.
    const idle = this.#waiting.filter((wish, place) => {
      const goesAhead = (other: Wish) =>
        held.some(({ who, keys }) => who === other.who && [...keys].some((key) => other.keys.has(key)));
      const reasons = this.#waiting.filter((other, at) => at < place || goesAhead(other));
      return ![...held, ...reasons].some((other) => exclude(other, wish));
    });
    expect(idle).toEqual([]);
    if (held.length + this.#waiting.length === 0) expect(this.#on.locks).toBeUndefined();
  }

  #has(who: number, key: Key, isExclusive: boolean): boolean {
    return this.#contenders[who]!.holds(this.#on, Span.of(key), isExclusive);
  }

  /** Who has which keys, and how. */
  #holdings(has: (who: number, key: Key, isExclusive: boolean) => boolean): string[] {
    return [...this.#contenders.keys()].flatMap((who) =>
      keys.flatMap((key) =>
        [false, true]
          .filter((isExclusive) => has(who, key, isExclusive))
          .map((mode) => `${who} ${key} ${mode}`),
      ),
    );
  }

  #someWish(who: number): Wish {
    const isExclusive = this.#random.chance(0.5);
    const dice = this.#random.next();
    const [low, high] = [this.#random.below(keys.length), this.#random.below(keys.length)].sort(
      (a, b) => a - b,
    );
    let span = Span.of(keys[low!]!);
    if (dice < 0.1) span = everything;
    else if (dice < 0.4 && low !== high) span = new Span(keys[low!], keys[high!], this.#random.chance(0.5));
    else if (dice < 0.5) span = new Span(keys[low!], undefined);
    return { who, keys: new Set(keys.filter((key) => span.contains(key))), isExclusive, span };
  }
}

describe("locks", () => {
  for (let first = 0; first < 200; first += 50) {
    test(`are as a plain list of wishes says: seeds from ${first}`, async () => {
      for (let seed = first; seed < first + 50; seed++) {
        const run = new Run(seed);
        for (let left = 40; left > 0; left--) {
          run.step();
          // Who was granted something hears so.
          for (let round = 0; round < 3; round++) await Promise.resolve();
        }
        run.end();
      }
    });
  }

  test("are given in the order in which they were asked for", () => {
    const on: Lockable = { rank: 1, what: "it", locks: undefined };
    const all = Array.from({ length: 6 }, (_, who) => new Contender(who + 1, true, false));
    const modes = [true, false, false, true, false, true];
    for (const [who, isExclusive] of modes.entries()) {
      void all[who]!.lock(on, Span.of(0), isExclusive);
    }
    const holders = () => all.flatMap(({ held }, who) => (held.length > 0 ? [who] : []));
    const seen = [holders()];
    while (on.locks !== undefined) {
      for (const who of holders()) all[who]!.release();
      seen.push(holders());
    }
    expect(seen).toEqual([[0], [1, 2], [3], [4], [5], []]);
  });

  test("go to one who has a part and wants more before those who wait for just that", () => {
    const on: Lockable = { rank: 1, what: "it", locks: undefined };
    const [a, b, c] = [1, 2, 3].map((born) => new Contender(born, true, false));
    const it = Span.of(0);
    expect([a!.lock(on, it, false), b!.lock(on, it, false)]).toEqual([undefined, undefined]);
    void c!.lock(on, it, true);
    void a!.lock(on, it, true);
    b!.release();
    expect([a!.holds(on, it, true), c!.holds(on, it, true)]).toEqual([true, false]);
    a!.release();
    expect(c!.holds(on, it, true)).toBe(true);
    c!.release();
    expect(on.locks).toBeUndefined();
  });

  test("of what is withdrawn go to whoever waited behind it", () => {
    const on: Lockable = { rank: 1, what: "it", locks: undefined };
    const [a, b, c] = [1, 2, 3].map((born) => new Contender(born, true, false));
    void a!.lock(on, Span.of(0), false);
    b!.lock(on, everything, true)!.catch(() => undefined);
    void c!.lock(on, Span.of(0), false);
    expect(c!.held).toEqual([]);
    b!.withdraw(new GaveWay("enough"));
    expect(c!.held).toHaveLength(1);
  });
});

describe("spans", () => {
  const spans = keys.flatMap((from) => [
    Span.of(from),
    new Span(from, undefined),
    new Span(undefined, from),
    ...keys
      .filter((to) => compareKeys(from, to) < 0)
      .flatMap((to) => [new Span(from, to), new Span(from, to, true)]),
  ]);
  /** What lies between two keys counts, too. */
  const dense: Key[] = [
    -2,
    ...keys.flatMap((key) => [key, typeof key === "number" ? key + 0.5 : `${key}!`]),
    "z",
  ];
  const within = (span: Span) => new Set(dense.filter((key) => span.contains(key)));

  test("overlap and cover as the keys that are in them do", () => {
    for (const one of [everything, ...spans]) {
      for (const other of [everything, ...spans]) {
        const [ours, theirs] = [within(one), within(other)];
        expect(one.overlaps(other)).toBe([...ours].some((key) => theirs.has(key)));
        if (one.covers(other)) expect([...theirs].every((key) => ours.has(key))).toBe(true);
        else if (other.point !== undefined) expect(ours.has(other.point)).toBe(false);
      }
    }
  });
});
