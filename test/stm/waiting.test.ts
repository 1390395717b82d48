import { Space, type LockingTransaction, type Transaction } from "lockstep/stm";
import { Event } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { follow, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

interface Item {
  readonly color: string;
  readonly count: number;
}

const start = new Map<number, Item>([
  [1, { color: "red", count: 1 }],
  [5, { color: "blue", count: 5 }],
]);

/** Two refs and a table. */
class World {
  readonly space = new Space();
  readonly a = this.space.ref(0);
  readonly b = this.space.ref(0);
  readonly items = this.space.table<number, Item, "color">({ indexes: { color: (item) => item.color } });

  constructor() {
    this.restore();
  }

  /** All as it was in the beginning, and nothing is touched that is. */
  restore() {
    this.space.atomicallySync((tx) => {
      tx.set(this.b, 0);
      for (const [key] of tx.range(this.items)) if (!start.has(key)) tx.delete(this.items, key);
      for (const [key, item] of start) if (tx.get(this.items, key) !== item) tx.put(this.items, key, item);
    });
  }

  expectAtRest() {
    expectAtRest(this.space, this.a, this.b, this.items);
  }
}

type Change = (tx: Transaction, world: World) => void;
type Look = (tx: LockingTransaction, world: World) => unknown;

const put =
  (key: number, color: string, count = 0): Change =>
  (tx, { items }) =>
    tx.put(items, key, { color, count });
const drop =
  (key: number): Change =>
  (tx, { items }) =>
    tx.delete(items, key);
const setB: Change = (tx, { b }) => tx.set(b, 1);

/** What is read, what that must wake, and what it must sleep through. */
const looks: Record<string, { look: Look; wakes: Change[]; sleepsThrough: Change[] }> = {
  "a ref": {
    look: (tx, { a }) => tx.get(a),
    wakes: [(tx, { a }) => tx.set(a, 1), (tx, { a }) => tx.set(a, 7 + tx.get(a))],
    sleepsThrough: [setB, (tx, { a }) => tx.set(a, 0), put(1, "red"), (tx, { a }) => void tx.get(a)],
  },
  "a ref, for update": {
    look: (tx, { a }) => tx.getForUpdate(a),
    wakes: [(tx, { a }) => tx.set(a, 1)],
    sleepsThrough: [setB],
  },
  "a row": {
    look: (tx, { items }) => tx.get(items, 1),
    wakes: [put(1, "red"), drop(1)],
    sleepsThrough: [put(2, "red"), put(5, "red"), drop(5), setB],
  },
  "a key without a row": {
    look: (tx, { items }) => tx.get(items, 2),
    wakes: [put(2, "red")],
    sleepsThrough: [put(1, "blue"), put(3, "red"), drop(1), drop(2)],
  },
  "a key without a row, for update": {
    look: (tx, { items }) => tx.getForUpdate(items, 2),
    wakes: [put(2, "red")],
    sleepsThrough: [put(1, "blue"), drop(5)],
  },
  "a range": {
    look: (tx, { items }) => tx.range(items, { from: 1, to: 5 }),
    wakes: [put(1, "green"), put(4, "red"), drop(1)],
    sleepsThrough: [put(5, "red"), put(0, "red"), drop(5), setB],
  },
  "the first of a range": {
    look: (tx, { items }) => tx.range(items, { limit: 1 }),
    wakes: [put(1, "green"), put(0, "red"), drop(1)],
    sleepsThrough: [put(5, "red"), put(2, "red"), drop(5)],
  },
  "the last of a range": {
    look: (tx, { items }) => tx.range(items, { limit: 1, reverse: true }),
    wakes: [put(5, "green"), put(6, "red"), drop(5)],
    sleepsThrough: [put(1, "green"), put(2, "red"), drop(1)],
  },
  "an empty table": {
    look: (tx, { items }) => tx.range(items, { from: 100 }),
    wakes: [put(100, "red")],
    sleepsThrough: [put(99, "red"), drop(1)],
  },
  "rows that are accepted": {
    look: (tx, { items }) => tx.where(items, (item) => item.count > 3),
    wakes: [put(9, "red", 4), put(5, "red", 0), put(5, "blue", 6), drop(5)],
    sleepsThrough: [put(1, "red", 3), put(9, "red", 2), drop(1), setB],
  },
  "rows by an index": {
    look: (tx, { items }) => tx.by(items, "color", "red"),
    wakes: [put(9, "red"), put(1, "blue"), put(1, "red", 9), put(5, "red"), drop(1)],
    sleepsThrough: [put(9, "blue"), drop(5), put(5, "green"), setB],
  },
  "several things": {
    look: async (tx, { a, items }) => [
      await tx.get(a),
      await tx.by(items, "color", "red"),
      await tx.get(items, 7),
    ],
    wakes: [(tx, { a }) => tx.set(a, 1), drop(1), put(7, "green")],
    sleepsThrough: [setB, put(9, "blue"), drop(5)],
  },
};

describe.each(controls)("tx.retry, %s", (control) => {
  test.each(Object.entries(looks))("wakes when %s changes, and else sleeps on", async (_what, each) => {
    for (const wake of each.wakes) {
      const world = new World();
      let runs = 0;
      const waiting = follow(
        world.space.atomically(
          async (tx: LockingTransaction) => {
            await each.look(tx, world);
            if (++runs === 1) tx.retry();
            return "woken";
          },
          { control },
        ),
      );
      await turn();
      for (const change of each.sleepsThrough) {
        world.space.atomicallySync((tx) => change(tx, world));
        await turn();
        expect([waiting.is, runs], String(change)).toEqual(["waits", 1]);
        world.restore();
        await turn();
        expect([waiting.is, runs], `undone: ${String(change)}`).toEqual(["waits", 1]);
      }
      world.space.atomicallySync((tx) => wake(tx, world));
      await turn();
      expect([waiting.value, runs], String(wake)).toEqual(["woken", 2]);
      world.expectAtRest();
    }
  });

  test.each(Object.entries(looks))(
    "of %s does not sleep through what came before it slept",
    async (_what, each) => {
      for (const wake of each.wakes) {
        const world = new World();
        const looked = new Event();
        let runs = 0;
        const waiting = world.space.atomically(
          async (tx: LockingTransaction) => {
            await each.look(tx, world);
            looked.set();
            await turn();
            if (++runs === 1) tx.retry();
            return "woken";
          },
          { control },
        );
        await looked.wait();
        // Under locks it has to wait till the other is asleep.
        await world.space.atomically((tx) => wake(tx, world));
        expect(await waiting).toBe("woken");
        expect(runs).toBeLessThanOrEqual(2);
        world.expectAtRest();
      }
    },
  );

  test("keeps nobody waiting, and nothing that it wrote", async () => {
    const { space, a, b, items } = new World();
    const taken = space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(b, 99);
        await tx.put(items, 9, { color: "red", count: 9 });
        if ((await tx.get(a)) < 3) tx.retry();
        return tx.get(b);
      },
      { control },
    );
    for (let round = 0; round < 3; round++) {
      await turn();
      expectAtRest(space);
      expect(space.atomicallySync((tx) => [tx.get(b), tx.get(items, 9)])).toEqual([0, undefined]);
      await space.atomically(async (tx: LockingTransaction) => tx.set(a, (await tx.get(a)) + 1), { control });
    }
    expect(await taken).toBe(99);
    expectAtRest(space, a, b);
  });

  test("is caught by nobody", async () => {
    const { space, a } = new World();
    let runs = 0;
    const taken = space.atomically(
      async (tx: LockingTransaction) => {
        runs++;
        if ((await tx.get(a)) > 0) return "taken";
        try {
          return tx.retry();
        } catch {
          return "caught";
        }
      },
      { control },
    );
    await turn();
    space.atomicallySync((tx) => tx.set(a, 1));
    expect([await taken, runs]).toEqual(["taken", 2]);
    expectAtRest(space, a);
  });
});

test("tx.retry of one who only reads", async () => {
  const { space, a } = new World();
  const taken = space.atomically((tx) => (tx.get(a) === 0 ? tx.retry() : tx.get(a)), { readOnly: true });
  await turn();
  space.atomicallySync((tx) => tx.set(a, 5));
  expect(await taken).toBe(5);
  expectAtRest(space, a);
});

test("tx.retry counts as no attempt", async () => {
  const { space, a } = new World();
  const taken = space.atomically((tx) => (tx.get(a) < 5 ? tx.retry() : "done"), { attempts: 1 });
  for (let value = 1; value <= 5; value++) {
    await turn();
    space.atomicallySync((tx) => tx.set(a, value));
  }
  expect(await taken).toBe("done");
});

test("a thousand who sleep are all woken, and each takes one", async () => {
  const { space, a } = new World();
  const take = () =>
    space.atomically((tx) => {
      if (tx.get(a) === 0) tx.retry();
      return tx.update(a, (count) => count - 1);
    });
  const all = Array.from({ length: 1_000 }, take);
  await turn();
  for (let batch = 0; batch < 10; batch++) {
    space.atomicallySync((tx) => tx.update(a, (count) => count + 100));
    await turn();
  }
  await Promise.all(all);
  expect(a.get()).toBe(0);
  expectAtRest(space, a);
});
