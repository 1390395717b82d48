// Nobody is kept from committing for ever, whatever the others do. What is counted is how often a block ran.
import { Space, type LockingTransaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

/** Refs that many tasks write all the time, until they are told to stop. */
function busy(control: (typeof controls)[number]) {
  const space = new Space();
  const refs = Array.from({ length: 100 }, () => space.ref(0));
  let isOver = false;
  const write = async (seed: number) => {
    for (let round = 0; !isOver; round++) {
      const changed = refs[(seed * 37 + round * 11) % refs.length]!;
      await space.atomically(
        async (tx: LockingTransaction) => {
          const value = await tx.get(changed);
          await turn();
          await tx.set(changed, value + 1);
        },
        { control },
      );
    }
  };
  const writers = Array.from({ length: 10 }, (_, seed) => write(seed));
  const stop = () => {
    isOver = true;
    return Promise.all(writers);
  };
  return { space, refs, stop };
}

describe.each(controls)("among writers who wait while they write: %s", (control) => {
  test("one who reads 100 refs and writes one commits within few attempts", async () => {
    const { space, refs, stop } = busy(control);
    const sum = space.ref(0);
    for (let round = 0; round < 5; round++) {
      let attempts = 0;
      await space.atomically(
        async (tx: LockingTransaction) => {
          attempts++;
          let total = 0;
          for (const ref of refs) {
            total += await tx.get(ref);
            await turn();
          }
          await tx.set(sum, total);
        },
        { control },
      );
      expect(attempts).toBeLessThanOrEqual(5);
    }
    await stop();
    expect(sum.get()).toBeGreaterThan(0);
    expectAtRest(space, sum, ...refs);
  });

  test("one who only reads 100 refs runs once", async () => {
    const { space, refs, stop } = busy(control);
    let attempts = 0;
    const read = async (tx: LockingTransaction) => {
      attempts++;
      for (const ref of refs) {
        await tx.get(ref);
        await turn();
      }
    };
    await space.atomically(read, { control });
    expect(attempts).toBeLessThanOrEqual(control === "optimistic" ? 1 : 2);
    attempts = 0;
    await space.atomically(read, { readOnly: true });
    expect(attempts).toBe(1);
    await stop();
    expectAtRest(space, ...refs);
  });
});

test.each(controls)("a hundred who all want the same ref get it within few attempts: %s", async (control) => {
  const space = new Space();
  const hot = space.ref(0);
  let attempts = 0;
  const increment = () =>
    space.atomically(
      async (tx: LockingTransaction) => {
        attempts++;
        const value = await tx.getForUpdate(hot);
        await turn();
        await tx.set(hot, value + 1);
      },
      { control },
    );
  await Promise.all(Array.from({ length: 100 }, increment));
  expect(hot.get()).toBe(100);
  expect(attempts).toBeLessThanOrEqual(control === "pessimistic" ? 100 : 200);
  expectAtRest(space, hot);
});
