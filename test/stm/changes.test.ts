import { Space } from "lockstep/stm";
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { abortable, follow, refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

function counter() {
  const space = new Space();
  const count = space.ref(0);
  return { space, count, set: (value: number) => space.atomicallySync((tx) => tx.set(count, value)) };
}

test("tells the present value, and then the newest after each change", async () => {
  const { space, count, set } = counter();
  const changes = count.changes();
  expect(await changes.next()).toEqual({ done: false, value: 0 });
  set(1);
  expect(await changes.next()).toEqual({ done: false, value: 1 });
  set(2);
  set(3);
  expect(await changes.next()).toEqual({ done: false, value: 3 });
  const next = follow(changes.next());
  await turn();
  // Nothing has changed for who sets it to what it was, and for who fails.
  set(3);
  const failing = space.atomically((tx) => {
    tx.set(count, 9);
    throw new Error("boom");
  });
  expect(await refusal(() => failing)).toBe("Error: boom");
  await turn();
  expect(next.is).toBe("waits");
  set(4);
  expect(await next.promise).toEqual({ done: false, value: 4 });
  await changes.return?.();
  expectAtRest(space, count);
});

test("misses none at the end, however slow who looks", async () => {
  const { space, count, set } = counter();
  const seen: number[] = [];
  const slow = (async () => {
    for await (const value of count.changes()) {
      seen.push(value);
      await turn();
      if (value === 100) break;
    }
  })();
  for (let value = 1; value <= 100; value++) {
    set(value);
    if (value % 7 === 0) await turn();
  }
  await slow;
  expect(seen[0]).toBeLessThanOrEqual(1);
  expect(seen.at(-1)).toBe(100);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expectAtRest(space, count);
});

test("each who looks is told", async () => {
  const { space, count, set } = counter();
  const sums = Array.from({ length: 5 }, async () => {
    let sum = 0;
    for await (const value of count.changes()) {
      sum += value;
      if (value === 3) break;
    }
    return sum;
  });
  for (const value of [1, 2, 3]) {
    await turn();
    set(value);
  }
  expect(await Promise.all(sums)).toEqual([6, 6, 6, 6, 6]);
  expectAtRest(space, count);
});

test("ends with the reason of its signal, and leaves nothing behind", async () => {
  const { space, count, set } = counter();
  for (const when of ["before", "asleep", "between"]) {
    const { signal, abort } = abortable();
    const changes = count.changes({ signal });
    if (when === "before") {
      abort("enough");
    } else {
      await changes.next();
      const next = when === "asleep" ? changes.next() : undefined;
      await turn();
      abort("enough");
      if (next !== undefined) {
        expect(await refusal(() => next)).toBe("enough");
        expect(await changes.next()).toEqual({ done: true, value: undefined });
      }
    }
    if (when !== "asleep") expect(await refusal(() => changes.next())).toBe("enough");
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expectAtRest(space, count);
  }
  set(1);
  expect(await refusal(() => count.changes({ signal: AbortSignal.abort("late") }))).toBe("late");
  expect(await refusal(() => count.changes({ timeoutMs: 1 } as never))).toBe("bad-input");
});
