import { SeededRandom } from "lockstep/base";
import {
  atomically,
  atomicallySync,
  ref,
  snapshot,
  Space,
  table,
  type Control,
  type Isolation,
  type LockingTransaction,
  type Ref,
  type TransactionOptions,
} from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;
const manners: Record<string, TransactionOptions & { control: Control }> = {
  optimistic: { control: "optimistic" },
  pessimistic: { control: "pessimistic" },
  "pessimistic, sorted": { control: "pessimistic", order: "sorted" },
  adaptive: { control: "adaptive" },
};

test("the functions of the module share one space", async () => {
  const [a, b] = [ref(100, { name: "a" }), ref(0)];
  const log = table<number, string>({ name: "log" });
  using before = snapshot();
  await atomically((tx) => {
    tx.set(a, tx.get(a) - 50);
    tx.update(b, (balance) => balance + 50);
  });
  atomicallySync((tx) => tx.put(log, 1, `${tx.get(a)} and ${tx.get(b)}`));
  expect(await atomically((tx) => tx.get(log, 1), { readOnly: true })).toBe("50 and 50");
  expect([before.get(a), before.get(b), before.get(log, 1)]).toEqual([100, 0, undefined]);
});

test("a block that does not wait is done when atomically returns", async () => {
  const space = new Space();
  const count = space.ref(0);
  const all = [1, 2, 3].map(() => space.atomically((tx) => tx.update(count, (value) => value + 1)));
  expect(count.get()).toBe(3);
  expect(await Promise.all(all)).toEqual([1, 2, 3]);
});

test.each(controls)(
  "a block that throws has changed nothing, and its error is thrown on: %s",
  async (control) => {
    const space = new Space();
    const [a, rows] = [space.ref("old"), space.table<number, string>()];
    const boom = new Error("boom");
    for (const when of ["at once", "later"]) {
      const block = async (tx: LockingTransaction) => {
        await tx.set(a, "new");
        await tx.put(rows, 1, "new");
        if (when === "later") await turn();
        throw boom;
      };
      await expect(space.atomically(block, { control })).rejects.toBe(boom);
    }
    expect([a.get(), space.snapshot().get(rows, 1)]).toEqual(["old", undefined]);
  },
);

test("atomicallySync that throws has changed nothing", () => {
  const space = new Space();
  const a = space.ref(0);
  const block = () =>
    space.atomicallySync((tx) => {
      tx.set(a, 1);
      throw new Error("boom");
    });
  expect(block).toThrow("boom");
  expect(a.get()).toBe(0);
  expectAtRest(space, a);
});

describe.each(Object.entries(manners))("%s", (_name, manner) => {
  test("no update is lost", async () => {
    const space = new Space();
    const [count, rows] = [space.ref(0), space.table<string, number>()];
    const increment = () =>
      space.atomically(async (tx: LockingTransaction) => {
        const [value, row] = [await tx.get(count), await tx.get(rows, "count")];
        await turn();
        await tx.set(count, value + 1);
        await tx.put(rows, "count", (row ?? 0) + 1);
      }, manner);
    await Promise.all(Array.from({ length: 50 }, increment));
    expect(count.get()).toBe(50);
    expect(space.snapshot().get(rows, "count")).toBe(50);
  });

  test("all that is seen is of one moment, also in attempts that fail", async () => {
    const space = new Space();
    const [x, y] = [space.ref(0), space.ref(0)];
    const rows = space.table<string, number>();
    let seen = 0;
    const watch = () =>
      space.atomically(async (tx: LockingTransaction) => {
        const first = await tx.get(x);
        await turn();
        expect(await tx.get(y)).toBe(first);
        const row = await tx.get(rows, "row");
        await turn();
        expect(row ?? 0).toBe(first);
        expect((await tx.range(rows)).map(([, value]) => value)).toEqual(first === 0 ? [] : [first]);
        seen++;
      }, manner);
    const change = () =>
      space.atomically(async (tx: LockingTransaction) => {
        const next = (await tx.getForUpdate(x)) + 1;
        await tx.set(x, next);
        await turn();
        await tx.put(rows, "row", next);
        expect((await tx.update(y, (value) => value + 1)) - next).toBe(0);
        seen++;
      }, manner);
    await Promise.all(Array.from({ length: 60 }, (_, at) => (at % 3 === 0 ? change() : watch())));
    expect(seen).toBeGreaterThanOrEqual(60);
    expectAtRest(space, x, y, rows);
  });

  test("the sum over 1,000 refs is kept, whoever looks", async () => {
    const space = new Space();
    const random = new SeededRandom(7);
    const accounts = Array.from({ length: 1_000 }, () => space.ref(10));
    const any = () => accounts[random.below(random.chance(0.5) ? 10 : 1_000)]!;
    const transfer = async () => {
      const [from, to] = [any(), any()];
      await space.atomically(async (tx: LockingTransaction) => {
        await tx.set(from, (await tx.get(from)) - 1);
        if (random.chance(0.5)) await turn();
        await tx.set(to, (await tx.get(to)) + 1);
      }, manner);
    };
    const audit = () =>
      space.atomically(async (tx: LockingTransaction) => {
        let sum = 0;
        for (const [at, account] of accounts.entries()) {
          sum += await tx.get(account);
          if (at % 100 === 0) await turn();
        }
        expect(sum).toBe(10_000);
      }, manner);
    const tasks = Array.from({ length: 300 }, (_, at) => (at % 50 === 0 ? audit() : transfer()));
    await Promise.all(tasks);
    expect(accounts.reduce((sum, account) => sum + account.get(), 0)).toBe(10_000);
    expectAtRest(space, ...accounts);
  });
});

describe("write skew", () => {
  const levels: Isolation[] = ["read-uncommitted", "read-committed", "repeatable-read", "serializable"];
  describe.each(levels)("at %s", (isolation) => {
    test.each(controls)("%s", async (control) => {
      const space = new Space();
      const [ann, bob] = [space.ref(true), space.ref(true)];
      const leave = (own: Ref<boolean>, other: Ref<boolean>) =>
        space.atomically(
          async (tx: LockingTransaction) => {
            const isCovered = await tx.get(other);
            await turn();
            if (isCovered) await tx.set(own, false);
          },
          { isolation, control },
        );
      await Promise.all([leave(ann, bob), leave(bob, ann)]);
      const isThereSomebody = ann.get() || bob.get();
      expect(isThereSomebody).toBe(isolation === "serializable");
    });

    test.each(controls)("getForUpdate prevents it: %s", async (control) => {
      const space = new Space();
      const [ann, bob] = [space.ref(true), space.ref(true)];
      const leave = (own: Ref<boolean>, other: Ref<boolean>) =>
        space.atomically(
          async (tx: LockingTransaction) => {
            const isCovered = await tx.getForUpdate(other);
            await turn();
            if (isCovered) await tx.set(own, false);
          },
          { isolation, control },
        );
      await Promise.all([leave(ann, bob), leave(bob, ann)]);
      expect([ann.get(), bob.get()]).toContain(true);
    });
  });
});
