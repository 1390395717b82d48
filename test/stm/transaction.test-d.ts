// What a caller's editor says of blocks, refs and tables.
import {
  atomically,
  atomicallySync,
  orElse,
  Space,
  type Immutable,
  type LockingTransaction,
  type Ref,
  type Snapshot,
  type Table,
  type Transaction,
} from "lockstep/stm";
import { expectTypeOf, test } from "vitest";

interface Account {
  owner: string;
  balance: number;
  tags: string[];
}

declare const space: Space;
declare const count: Ref<number>;
declare const accounts: Table<string, Account, "owner">;
declare const plain: Table<number, string>;
declare const view: Snapshot;

test("what is made", () => {
  expectTypeOf(space.ref(0)).toEqualTypeOf<Ref<number>>();
  expectTypeOf(space.ref<string | null>(null)).toEqualTypeOf<Ref<string | null>>();
  expectTypeOf(space.table<string, number>()).toEqualTypeOf<Table<string, number>>();
  // @ts-expect-error -- a key is a string or a number
  space.table<bigint, number>();
  // @ts-expect-error -- an index is a function of a row
  space.table<string, Account, "owner">({ indexes: { owner: "owner" } });
  // @ts-expect-error -- there is no such option
  new Space({ maxSnapshotAge: 5 });
});

test("an optimistic block reads at once", async () => {
  await atomically((tx) => {
    expectTypeOf(tx).toEqualTypeOf<Transaction>();
    expectTypeOf(tx.get(count)).toEqualTypeOf<number>();
    expectTypeOf(tx.get(accounts, "a")).toEqualTypeOf<Immutable<Account> | undefined>();
    expectTypeOf(tx.getForUpdate(accounts, "a")).toEqualTypeOf<Immutable<Account> | undefined>();
    expectTypeOf(tx.range(accounts)).toEqualTypeOf<[key: string, row: Immutable<Account>][]>();
    expectTypeOf(tx.by(accounts, "owner", "ann")).toEqualTypeOf<[key: string, row: Immutable<Account>][]>();
    expectTypeOf(tx.update(count, (value) => value + 1)).toEqualTypeOf<number>();
    expectTypeOf(tx.nested(() => 1)).toEqualTypeOf<number>();
    expectTypeOf(tx.nested(async () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(tx.retry).returns.toEqualTypeOf<never>();
  });
  expectTypeOf(atomically((tx) => tx.get(count))).toEqualTypeOf<Promise<number>>();
  expectTypeOf(atomically(async (tx) => tx.get(count), { attempts: 5 })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(atomically((tx) => tx.get(count), { control: "optimistic" })).toEqualTypeOf<Promise<number>>();
});

test("one that may wait for locks awaits what it reads", () => {
  for (const control of ["pessimistic", "adaptive"] as const) {
    void atomically(
      async (tx) => {
        expectTypeOf(tx).toEqualTypeOf<LockingTransaction>();
        expectTypeOf(tx.get(count)).toEqualTypeOf<number | Promise<number>>();
        expectTypeOf(await tx.get(accounts, "a")).toEqualTypeOf<Immutable<Account> | undefined>();
        expectTypeOf(await tx.update(count, (value) => value + 1)).toEqualTypeOf<number>();
        // @ts-expect-error -- it is a promise, perhaps
        void tx.set(count, tx.get(count));
      },
      { control },
    );
  }
  // @ts-expect-error -- a block that awaits nothing does not run under locks
  void atomically((tx: Transaction) => tx.get(count) + 1, { control: "pessimistic" });
  // One that awaits runs under every control.
  const everywhere = async (tx: LockingTransaction) => (await tx.get(count)) + 1;
  expectTypeOf(atomically(everywhere)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(atomically(everywhere, { control: "adaptive" })).toEqualTypeOf<Promise<number>>();
});

test("one that only reads has nothing to write with", () => {
  void atomically(
    (tx) => {
      expectTypeOf(tx.get(count)).toEqualTypeOf<number>();
      expectTypeOf(tx).not.toHaveProperty("set");
      expectTypeOf(tx).not.toHaveProperty("getForUpdate");
      return count.get() === 0 ? tx.retry() : 1;
    },
    { readOnly: true },
  );
});

test("atomicallySync takes no block that waits", () => {
  expectTypeOf(atomicallySync((tx) => tx.get(count))).toEqualTypeOf<number>();
  // @ts-expect-error -- an async block
  void atomicallySync(async (tx) => tx.get(count));
  // @ts-expect-error -- one that gives a promise, perhaps
  void atomicallySync(() => (Math.random() < 0.5 ? 1 : Promise.resolve(1)));
  // @ts-expect-error -- it has no options
  atomicallySync(() => 1, { attempts: 5 });
});

test("rows, keys and indexes fit their table", () => {
  void atomically((tx) => {
    tx.put(accounts, "a", { owner: "ann", balance: 1, tags: [] });
    // @ts-expect-error -- a key of another kind
    tx.put(accounts, 1, { owner: "ann", balance: 1, tags: [] });
    // @ts-expect-error -- half a row
    tx.put(accounts, "a", { owner: "ann" });
    // @ts-expect-error -- no such index
    tx.by(accounts, "balance", 1);
    expectTypeOf(tx.get(plain, 1)).toEqualTypeOf<string | undefined>();
    // @ts-expect-error -- a value of another kind
    tx.set(count, "1");
    // @ts-expect-error -- from a key of another kind
    tx.range(accounts, { from: 1 });
    const row = tx.get(accounts, "a")!;
    // @ts-expect-error -- a row is not changed in place
    row.balance = 0;
    expectTypeOf(row.tags).toEqualTypeOf<readonly string[]>();
    tx.put(accounts, "a", { ...row, balance: 0, tags: [...row.tags, "new"] });
  });
});

test("snapshots and changes", async () => {
  expectTypeOf(view.get(count)).toEqualTypeOf<number>();
  expectTypeOf(view.by(accounts, "owner", "ann")).toEqualTypeOf<[key: string, row: Immutable<Account>][]>();
  expectTypeOf(view).not.toHaveProperty("set");
  for await (const value of count.changes({ signal: AbortSignal.timeout(1) })) {
    expectTypeOf(value).toEqualTypeOf<number>();
  }
});

test("orElse gives a block of what all of its blocks give", () => {
  const either = orElse(
    (tx: Transaction) => tx.get(count),
    (tx: Transaction) => tx.get(count) + 1,
  );
  expectTypeOf(atomically(either)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(atomically(orElse((tx) => tx.get(count)))).toEqualTypeOf<Promise<number>>();
});
