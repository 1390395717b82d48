import { isLockstepError, ManualClock, SeededRandom } from "lockstep/base";
import { MemoryData, MemoryStore } from "lockstep/memory";
import { FaultyStore, type Faults } from "lockstep/simulation";
import type { Batch, Store } from "lockstep/store";
import { describe, expect, test } from "vitest";
import {
  absent,
  alive,
  entryOf,
  keysOf,
  modified,
  put,
  remove,
  textOf,
} from "../../src/conformance/shorthand.js";

/** A faulty client, and a sound one of the same data to see what became of it. */
function world(faults: Partial<Faults>) {
  const clock = new ManualClock();
  const data = new MemoryData(clock);
  const sound = new MemoryStore({ data, clock });
  const inner = new MemoryStore({ data, clock });
  const faulty = new FaultyStore(inner, Object.assign(faults, { seed: 1, clock, ...faults }));
  return { clock, sound, inner, faulty };
}

/** What became of a call, in a word; time passes until something did. */
async function outcome(clock: ManualClock, call: Promise<unknown>): Promise<string> {
  let settled: string | undefined;
  call.then(
    () => (settled = "done"),
    (error: unknown) =>
      (settled = isLockstepError(error) ? `${error.code}, ${error.applied}` : String(error)),
  );
  for (let i = 0; i < 1000 && settled === undefined; i++) await clock.advance(1);
  return settled ?? "nothing";
}

describe("a faulty store", () => {
  test("loses requests: some plainly, of some nobody knows", async () => {
    const { clock, sound, faulty } = world({ loseRequest: 1 });
    const outcomes = new Set<string>();
    for (let i = 0; i < 30; i++) {
      outcomes.add(await outcome(clock, faulty.commit({ then: [put("a")] })));
      outcomes.add(await outcome(clock, faulty.openSession({ ttlMs: 1000 })));
      expect(await outcome(clock, faulty.read({ key: "a" }))).toBe("unavailable, no");
    }
    expect([...outcomes].sort()).toEqual(["unavailable, no", "unknown-outcome, maybe"]);
    const { entries, sessions } = await sound.read({ prefix: "", sessions: true });
    expect([entries, sessions]).toEqual([[], []]);
  });

  test("loses replies: the change is made, and nobody knows", async () => {
    const { clock, sound, faulty } = world({ loseReply: 1 });
    for (const key of ["a", "b", "c"]) {
      const call = faulty.commit({ when: [absent(key)], then: [put(key)] });
      expect(await outcome(clock, call)).toBe("unknown-outcome, maybe");
    }
    expect(await keysOf(sound, { prefix: "" })).toEqual(["a", "b", "c"]);
    expect(await outcome(clock, faulty.read({ key: "a" }))).toBe("unavailable, no");
  });

  test("loses as often as it was told to", async () => {
    const { clock, sound, faulty } = world({ loseRequest: 0.2, loseReply: 0.5 });
    let acknowledged = 0;
    for (let i = 0; i < 500; i++) {
      if ((await outcome(clock, faulty.commit({ then: [put(`${i}`)] }))) === "done") acknowledged++;
    }
    expect(acknowledged).toBeGreaterThan(150);
    expect(acknowledged).toBeLessThan(250);
    const arrived = (await sound.read({ prefix: "" })).entries.length;
    expect(arrived).toBeGreaterThan(350);
    expect(arrived).toBeLessThan(450);
  });

  test("makes a change a second time, long after the first", async () => {
    const { clock, sound, faulty } = world({ duplicate: 1, delayMs: 10 });
    const value = new TextEncoder().encode("first");
    await outcome(clock, faulty.commit({ when: [absent("a")], then: [put("a", value)] }));
    // What the caller does with its array meanwhile is its own affair.
    value.fill(0);
    expect(textOf(await entryOf(sound, "a"))).toBe("first");
    await sound.commit({ then: [remove("a")] });
    await clock.advance(500);
    expect(textOf(await entryOf(sound, "a"))).toBe("first");
  });

  test("throws away the verdict of the second time", async () => {
    const { clock, sound, faulty } = world({ duplicate: 1, delayMs: 10 });
    expect(await outcome(clock, faulty.commit({ when: [absent("a")], then: [put("a")] }))).toBe("done");
    const { revision } = await sound.read({ prefix: "" });
    await clock.advance(500);
    expect((await sound.read({ prefix: "" })).revision).toBe(revision);
  });

  test("may make a change for the first time after it was given up", async () => {
    const { clock, sound, faulty } = world({ duplicate: 1, loseRequest: 1, delayMs: 10 });
    for (let i = 0; i < 10; i++) {
      expect(await outcome(clock, faulty.commit({ then: [put(`a/${i}`)] }))).toBe("unknown-outcome, maybe");
    }
    await clock.advance(500);
    expect(await keysOf(sound, { prefix: "a/" })).toHaveLength(10);
  });

  test("delays requests and replies, so that they overtake one another", async () => {
    const { clock, sound, faulty } = world({ delayMs: 10 });
    const answered: number[] = [];
    const calls = Array.from({ length: 10 }, async (_, i) => {
      await faulty.commit({ then: [put(`${i}`)] });
      answered.push(i);
    });
    await clock.advance(0);
    expect(await keysOf(sound, { prefix: "" })).toEqual([]);
    await clock.advance(20);
    await Promise.all(calls);
    const arrived = await keysOf(sound, { prefix: "", order: "created" });
    const sent = calls.map((_, i) => i);
    expect(arrived.map(Number)).not.toEqual(sent);
    expect(arrived.map(Number).sort((a, b) => a - b)).toEqual(sent);
    expect(answered).not.toEqual(arrived.map(Number));
  });

  test("delays what a watch tells, but keeps it in order", async () => {
    const { clock, sound, faulty } = world({ delayMs: 10 });
    const watch = faulty.watch("", { from: 0n });
    const told: string[] = [];
    const reading = Promise.all(
      Array.from({ length: 8 }, async () => {
        const { value } = (await watch.next()) as IteratorYieldResult<Batch>;
        told.push(value.events[0]?.key ?? "");
      }),
    );
    const keys = ["h", "g", "f", "e", "d", "c", "b", "a"];
    for (const key of keys) await sound.commit({ then: [put(key)] });
    await clock.advance(0);
    expect(told).toEqual([]);
    await clock.advance(100);
    await reading;
    expect(told).toEqual(keys);
  });

  test("says at once what is bad input, whatever else would go wrong", async () => {
    const { faulty } = world({ loseRequest: 1, delayMs: 1000 });
    for (const call of [
      faulty.commit({ then: [put("")] }),
      faulty.read({ prefix: "", limit: 0 }),
      faulty.openSession({ ttlMs: 0 }),
    ]) {
      await expect(call).rejects.toSatisfy((error) => isLockstepError(error, "bad-input"));
    }
    for (const nonsense of [{ loseRequest: 1.5 }, { loseReply: -1 }, { duplicate: NaN }]) {
      expect(() => world(nonsense)).toThrow("must be a probability from 0 to 1");
    }
  });

  test("that is healed is as good as any, and what was under way is gone", async () => {
    const { clock, sound, faulty } = world({ loseRequest: 1, loseReply: 1, duplicate: 1, delayMs: 10 });
    await outcome(clock, faulty.commit({ then: [put("a")] }));
    const caught = faulty.commit({ then: [put("b")] });
    faulty.heal();
    expect(await outcome(clock, caught)).toBe("done");
    await clock.advance(1000);
    await faulty.commit({ then: [put("c")] });
    expect((await faulty.read({ prefix: "" })).entries).toHaveLength(2);
    await clock.advance(1000);
    expect(await keysOf(sound, { prefix: "" })).toEqual(["b", "c"]);
  });

  test("does the same again from the same seed, and something else from another", async () => {
    const runs = [];
    for (const seed of [7, 7, 8]) runs.push(await story(seed));
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
  });

  test("never invents or forgets an acknowledged change", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const { clock, sound, faulty } = world({
        seed,
        loseRequest: 0.2,
        loseReply: 0.2,
        duplicate: 0.3,
        delayMs: 5,
      });
      await sound.commit({ then: [put("n", "0")] });
      let acknowledged = 0;
      let doubtful = 0;
      for (let i = 0; i < 40; i++) {
        const entry = await entryOf(sound, "n");
        const when = [modified("n", entry?.modified ?? 0n)];
        const then = [put("n", `${Number(textOf(entry)) + 1}`)];
        const verdict = faulty.commit({ when, then }).then(({ ok }) => ok);
        const word = await outcome(clock, verdict);
        if (word === "done" && (await verdict)) acknowledged++;
        if (word === "unknown-outcome, maybe") doubtful++;
      }
      await clock.advance(1000);
      const counted = Number(textOf(await entryOf(sound, "n")));
      expect(counted).toBeGreaterThanOrEqual(acknowledged);
      expect(counted).toBeLessThanOrEqual(acknowledged + doubtful);
    }
  });
});

describe("a session behind a faulty network", () => {
  const ttlMs = 900;

  test("is never believed alive when it is dead, and sometimes dies of lost renewals", async () => {
    let lost = 0;
    for (let seed = 0; seed < 40; seed++) {
      const { clock, sound, faulty } = world({
        seed,
        loseRequest: 0.5,
        loseReply: 0.3,
        duplicate: 0.2,
        delayMs: 90,
      });
      const session = await openAtLast(clock, faulty, ttlMs);
      await sound.commit({ then: [put("held", "", session.id)] });
      for (let i = 0; i < 400 && session.isValid(); i++) {
        await clock.advance(10);
        const isAlive = (await sound.commit({ when: [alive(session.id)], then: [] })).ok;
        if (session.isValid()) expect(isAlive).toBe(true);
      }
      if (session.isValid()) continue;
      lost++;
      // A copy of a renewal may still arrive, but none can after the longest detour.
      await clock.advance(50 * 90 + ttlMs);
      expect(await keysOf(sound, { prefix: "" })).toEqual([]);
    }
    expect(lost).toBeGreaterThan(5);
    expect(lost).toBeLessThan(40);
  });

  test("expires when every renewal is lost, and its owner knows before", async () => {
    const { clock, sound, faulty } = world({ seed: 3, loseRequest: 0.9 });
    const session = await openAtLast(clock, faulty, ttlMs);
    await sound.commit({ then: [put("held", "", session.id)] });
    let ownerKnewAt = Infinity;
    session.onEnd(() => (ownerKnewAt = clock.now()));
    while ((await keysOf(sound, { prefix: "" })).length > 0) await clock.advance(10);
    expect(ownerKnewAt).toBeLessThan(clock.now());
  });

  test("that nobody heard was opened expires by itself", async () => {
    const { clock, sound, faulty } = world({ loseReply: 1 });
    expect(await outcome(clock, faulty.openSession({ ttlMs }))).toBe("unknown-outcome, maybe");
    const open = async () => (await sound.read({ prefix: "", sessions: true })).sessions?.length;
    expect(await open()).toBe(1);
    await clock.advance(ttlMs);
    expect(await open()).toBe(0);
  });

  test("ends, though the store cannot be told, when its keys are gone", async () => {
    for (const loss of [{ loseRequest: 1 }, { loseReply: 1 }]) {
      const faults: { loseRequest?: number; loseReply?: number } = {};
      const { clock, sound, faulty } = world(faults);
      const session = await openAtLast(clock, faulty, ttlMs);
      await sound.commit({ then: [put("held", "", session.id)] });
      await clock.advance(ttlMs / 3);
      Object.assign(faults, loss);
      expect(await outcome(clock, session.end())).toBe("done");
      expect(await keysOf(sound, { prefix: "" })).toEqual([]);
    }
  });

  test("ends with the store that is closed, whatever the network would lose", async () => {
    const faults: Partial<Faults> = {};
    const { clock, sound, faulty } = world(faults);
    const session = await openAtLast(clock, faulty, ttlMs);
    await sound.commit({ then: [put("held", "", session.id)] });
    Object.assign(faults, { loseRequest: 1, delayMs: 100 });
    await faulty.close();
    expect(session.isValid()).toBe(false);
    expect(await keysOf(sound, { prefix: "" })).toEqual([]);
  });

  test("is lost at once when the store behind gives it up", async () => {
    const { clock, inner, faulty } = world({});
    const session = await openAtLast(clock, faulty, ttlMs);
    await inner.close();
    expect(session.isValid()).toBe(false);
  });

  test("lives on when the store is healed", async () => {
    const { clock, faulty } = world({ seed: 5, loseRequest: 0.7, loseReply: 0.5, delayMs: 20 });
    const session = await openAtLast(clock, faulty, ttlMs);
    faulty.heal();
    await clock.advance(100 * ttlMs);
    expect(session.isValid()).toBe(true);
  });
});

describe("a random generator", () => {
  test("gives the same numbers from the same seed", () => {
    const numbers = (seed: number) => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 100 }, () => random.next());
    };
    expect(numbers(1)).toEqual(numbers(1));
    expect(numbers(1)).not.toEqual(numbers(2));
    for (const number of numbers(3)) expect(number >= 0 && number < 1).toBe(true);
  });

  test("is even, also from seeds that are near each other", () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let seed = 0; seed < 100; seed++) {
      const random = new SeededRandom(seed);
      for (let i = 0; i < 100; i++) counts[random.below(10)]!++;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    const random = new SeededRandom(1);
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.3)).filter(Boolean).length;
    expect(Math.abs(hits - 3000)).toBeLessThan(200);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
  });
});

/** All that happens to one client, as a text. */
async function story(seed: number): Promise<string[]> {
  const { clock, sound, faulty } = world({
    seed,
    loseRequest: 0.3,
    loseReply: 0.3,
    duplicate: 0.3,
    delayMs: 10,
  });
  const lines: string[] = [];
  for (let i = 0; i < 50; i++) {
    const word = await outcome(
      clock,
      faulty.commit({ then: [i % 3 === 0 ? remove("a") : put("a", `${i}`)] }),
    );
    const { revision, entries } = await sound.read({ prefix: "" });
    lines.push(`${clock.now()} ${word} ${revision} ${textOf(entries[0])}`);
  }
  return lines;
}

async function openAtLast(clock: ManualClock, store: Store, ttlMs: number) {
  for (;;) {
    const opening = store.openSession({ ttlMs });
    if ((await outcome(clock, opening)) === "done") return opening;
  }
}
