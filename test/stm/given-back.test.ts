// What is asked for and not awaited, and what is given back all at once: how a block ends, and who goes on.
import { orElse, Space, type LockingTransaction, type Ref } from "lockstep/stm";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Locks } from "../../src/stm/locks.js";
import { follow, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";
import { collectUnhandled } from "./unhandled.js";
import { turns } from "./turns.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;
const pessimistic = { control: "pessimistic" } as const;

const uncaught = collectUnhandled();
afterEach(() => {
  vi.restoreAllMocks();
  expect(uncaught).toEqual([]);
});

/** Opened once, by whoever is to let the others go. */
function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** Another one, who has it locked until told to let go. */
async function lockedByAnother(space: Space, ref: Ref<number>, value: number) {
  const { open, opened } = gate();
  const holder = space.atomically(async (tx) => {
    await tx.set(ref, value);
    await opened;
  }, pessimistic);
  await turn();
  const letGo = () => {
    open();
    return holder;
  };
  return { letGo, opened };
}

describe.each(controls)("%s", (control) => {
  for (const isHeld of [false, true]) {
    const when = isHeld ? " once another has let go of it" : "";

    test(`three updates of one ref at once are three${when}`, async () => {
      const space = new Space();
      const count = space.ref(0);
      const another = isHeld ? await lockedByAnother(space, count, 100) : undefined;
      const adding = space.atomically(
        (tx: LockingTransaction) =>
          Promise.all([1, 2, 3].map(async (n) => tx.update(count, (sum) => sum + n))),
        { control },
      );
      await turn();
      await another?.letGo();
      const before = isHeld ? 100 : 0;
      expect(await adding).toEqual([before + 1, before + 3, before + 6]);
      expect(count.get()).toBe(before + 6);
      expectAtRest(space, count);
    });

    test(`an update that is not awaited is made all the same${when}`, async () => {
      const space = new Space();
      const count = space.ref(0);
      const another = isHeld ? await lockedByAnother(space, count, 100) : undefined;
      const adding = space.atomically(
        (tx: LockingTransaction) => {
          void tx.update(count, (sum) => sum + 1);
          void tx.update(count, (sum) => sum + 2);
        },
        { control },
      );
      await turn();
      await another?.letGo();
      await adding;
      expect(count.get()).toBe(isHeld ? 103 : 3);
      expectAtRest(space, count);
    });
  }
});

test("an update that was not awaited when its block gave way is nobody's unhandled rejection", async () => {
  const space = new Space();
  const [a, b] = [space.ref(0), space.ref(0)];
  const older = space.atomically(async (tx) => {
    await tx.update(a, (n) => n + 1);
    await turns(2);
    await tx.update(b, (n) => n + 1);
  }, pessimistic);
  let runs = 0;
  const younger = space.atomically(async (tx) => {
    runs++;
    await tx.update(b, (n) => n + 1);
    const updated = tx.update(a, (n) => n + 1);
    await turns(10);
    await updated;
  }, pessimistic);
  await Promise.all([older, younger]);
  expect([runs, a.get(), b.get()]).toEqual([2, 2, 2]);
  await turns(2);
  expectAtRest(space, a, b);
});

test("thousands of rows are given back in one go, and whoever waits for all of them goes on", async () => {
  const space = new Space();
  const table = space.table<number, number>();
  const { open, opened } = gate();
  const putting = space.atomically(async (tx) => {
    for (let key = 0; key < 5_000; key++) void tx.put(table, key, key);
    await opened;
  }, pessimistic);
  await turn();
  const counting = follow(space.atomically(async (tx) => (await tx.range(table)).length, pessimistic));
  const outside = follow(space.atomically(async (tx) => tx.put(table, 5_000, 0), pessimistic));
  await turn();
  expect([counting.is, outside.is]).toEqual(["waits", "waits"]);
  const serve = vi.spyOn(Locks.prototype, "serve");
  open();
  await putting;
  // To look at the line after each row would take the square of their number.
  expect(serve.mock.calls.length).toBeLessThan(10);
  expect(await counting.promise).toBe(5_000);
  await outside.promise;
  expectAtRest(space, table);
});

test("a chain of thousands who each wait for the next comes to its end", async () => {
  const space = new Space();
  const length = 8_000;
  const refs = Array.from({ length: length + 1 }, () => space.ref(0));
  const gates = Array.from({ length }, gate);
  const add = (n: number) => n + 1;
  const waiting = gates.map(({ opened }, at) =>
    space.atomically(async (tx) => {
      await tx.update(refs[at]!, add);
      await opened;
      await tx.update(refs[at + 1]!, add);
    }, pessimistic),
  );
  await turn();
  // From the last but one to the first, and then the last, so that each has a longer chain before it.
  for (const { open } of gates.slice(0, -1).reverse()) open();
  await turn();
  gates.at(-1)!.open();
  await Promise.all(waiting);
  expect(refs.map((ref) => ref.get())).toEqual([1, ...Array.from({ length: length - 1 }, () => 2), 1]);
  expectAtRest(space, ...refs);
});

test("a circle of a thousand is found and ends", async () => {
  const space = new Space();
  const length = 1_000;
  const refs = Array.from({ length }, () => space.ref(0));
  const add = (n: number) => n + 1;
  const all = refs.map((ref, at) =>
    space.atomically(async (tx) => {
      await tx.update(ref, add);
      await turn();
      await tx.update(refs[(at + 1) % length]!, add);
    }, pessimistic),
  );
  await Promise.all(all);
  expect(refs.every((ref) => ref.get() === 2)).toBe(true);
  expectAtRest(space, ...refs);
});

// Where the promise of the write goes on between two branches, however many turns they take.
test.each(Array.from({ length: 10 }, (_, ticks) => ticks))(
  "orElse does the second though a write of the first was not awaited: granted %i ticks before",
  async (ticks) => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    const { letGo, opened } = await lockedByAnother(space, b, 7);
    const first = async (tx: LockingTransaction) => {
      void tx.set(b, 1);
      await opened;
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      tx.retry();
    };
    const second = async (tx: LockingTransaction) => {
      await tx.set(a, (await tx.get(a)) + 1);
      return "second";
    };
    const either = follow(space.atomically(orElse(first, second), pessimistic));
    await turn();
    await letGo();
    await turns(5);
    expect(either).toMatchObject({ is: "done", value: "second" });
    expect([a.get(), b.get()]).toEqual([1, 7]);
    expectAtRest(space, a, b);
  },
);

test.each(Array.from({ length: 10 }, (_, ticks) => ticks))(
  "a write before orElse that was not awaited is made: granted %i ticks before it goes on",
  async (ticks) => {
    const space = new Space();
    const b = space.ref(0);
    const { letGo, opened } = await lockedByAnother(space, b, 7);
    const first = async (tx: LockingTransaction) => {
      await opened;
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      tx.retry();
    };
    const either = space.atomically(async (tx) => {
      void tx.set(b, 1);
      return orElse(first, () => Promise.resolve("second"))(tx);
    }, pessimistic);
    const outcome = follow(either);
    await turn();
    await letGo();
    await turns(5);
    expect(outcome).toMatchObject({ is: "done", value: "second" });
    expect(b.get()).toBe(1);
    expectAtRest(space, b);
  },
);
