import { isLockstepError } from "lockstep/base";
import { orElse, Space, type LockingTransaction, type Table, type Transaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

/** The code and the words of what a call throws or rejects with. */
async function refused(call: () => unknown): Promise<string> {
  try {
    await call();
    return "none";
  } catch (error) {
    return isLockstepError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

function world() {
  const space = new Space();
  const a = space.ref("old", { name: "a" });
  const rows = space.table<number, { n: number }, "n">({ name: "rows", indexes: { n: (row) => row.n } });
  space.atomicallySync((tx) => tx.put(rows, 1, { n: 1 }));
  const state = () => [a.get(), space.atomicallySync((tx) => tx.range(rows))];
  return { space, a, rows, state };
}

describe("options", () => {
  const nonsense: [unknown, RegExp][] = [
    [null, /options must be an object, not null/],
    [5, /options must be an object/],
    [AbortSignal.abort(), /as in \{ signal \}/],
    [{ timeout: 5 }, /no option "timeout" here; there are .*timeoutMs/],
    [{ retries: 5 }, /no option "retries" here; there are .*attempts/],
    [{ timeoutMs: -1 }, /timeoutMs must be a number of milliseconds from 0/],
    [{ timeoutMs: NaN }, /timeoutMs must be/],
    [{ timeoutMs: "5" }, /timeoutMs must be .*not "5"/],
    [{ signal: {} }, /signal must be an AbortSignal/],
    [{ attempts: 0 }, /attempts must be a whole number from 1 up, not 0/],
    [{ attempts: 1.5 }, /attempts must be a whole number from 1 up, not 1.5/],
    [{ attempts: "3" }, /attempts must be a whole number from 1 up/],
    [{ attempts: NaN }, /attempts must be/],
    [{ isolation: "snapshot" }, /no isolation "snapshot"; there are "read-uncommitted", .*"serializable"/],
    [{ isolation: null }, /no isolation null/],
    [{ control: "locks" }, /no control "locks"; there are "optimistic", "pessimistic", "adaptive"/],
    [{ control: 3 }, /no control 3/],
    [{ readOnly: "yes" }, /readOnly must be true or false/],
    [{ order: "sorted" }, /order can only be "sorted", and only with control: "pessimistic"/],
    [{ order: "sorted", control: "adaptive" }, /order can only be/],
    [{ order: "random", control: "pessimistic" }, /order can only be/],
  ];

  test.each(nonsense)("%j are refused, and the block is not called", async (options, message) => {
    const { space } = world();
    let runs = 0;
    expect(await refused(() => space.atomically(() => runs++, options as never))).toMatch(message);
    expect(runs).toBe(0);
  });

  test("no name that all objects know is a level or a control", async () => {
    const { space } = world();
    for (const name of ["toString", "constructor", "__proto__"]) {
      expect(await refused(() => space.atomically(() => 0, { isolation: name as never }))).toMatch(
        /no isolation/,
      );
      expect(await refused(() => space.atomically(() => 0, { control: name as never }))).toMatch(
        /no control/,
      );
    }
  });

  test("of spaces, refs and tables", async () => {
    const { space } = world();
    const bad = "bad-input";
    for (const options of [
      null,
      { maxSnapshotAgeMs: 0 },
      { maxSnapshotAgeMs: "1" },
      { clock: {} },
      { age: 1 },
    ]) {
      expect(await refused(() => new Space(options as never)), JSON.stringify(options)).toContain(bad);
    }
    for (const options of [null, { name: 5 }, { name: "" }, { initial: 1 }]) {
      expect(await refused(() => space.ref(0, options as never)), JSON.stringify(options)).toContain(bad);
    }
    for (const options of [null, { name: "" }, { index: {} }, { indexes: { owner: "owner" } }]) {
      expect(await refused(() => space.table(options as never)), JSON.stringify(options)).toContain(bad);
    }
  });
});

test("what is no block is refused, where it is passed", async () => {
  const { space } = world();
  for (const nothing of [undefined, null, 5, "block", {}]) {
    const block = nothing as never;
    expect(await refused(() => space.atomically(block))).toMatch(
      /bad-input: atomically takes a function, not/,
    );
    expect(await refused(() => space.atomicallySync(block))).toMatch(/atomicallySync takes a function/);
    expect(await refused(() => orElse(() => 1, block))).toMatch(/orElse takes blocks to choose from/);
    const inside = (use: (tx: Transaction) => void) => refused(() => space.atomically(use));
    expect(await inside((tx) => tx.nested(block))).toMatch(/nested takes a function/);
    expect(await inside((tx) => tx.onCommit(block))).toMatch(/onCommit takes a function/);
    expect(await inside((tx) => tx.onRollback(block))).toMatch(/onRollback takes a function/);
  }
  expect(await refused(() => orElse())).toMatch(/orElse takes blocks/);
  expect(await refused(() => orElse(() => 1)({}))).toMatch(/is to be called with a transaction/);
});

describe.each(controls)("in a block, %s", (control) => {
  type World = ReturnType<typeof world>;
  type Use = (tx: LockingTransaction, world: Pick<World, "a"> & { rows: Table<never, never> }) => unknown;

  const nonsense: [string, Use, RegExp][] = [
    [
      "a key NaN",
      (tx, { rows }) => tx.get(rows, NaN as never),
      /bad-input: a key of the table "rows" .* NaN/,
    ],
    ["no key", (tx, { rows }) => tx.get(rows, undefined as never), /a key of the table "rows" must be/],
    ["a key that is an object", (tx, { rows }) => tx.put(rows, {} as never, 1 as never), /an object/],
    ["a key null", (tx, { rows }) => tx.delete(rows, null as never), /it is null/],
    ["a key that is a bigint", (tx, { rows }) => tx.getForUpdate(rows, 1n as never), /the bigint 1/],
    ["no row", (tx, { rows }) => tx.put(rows, 1 as never, undefined as never), /delete takes one out/],
    [
      "a row that cannot be frozen",
      (tx, { rows }) => tx.put(rows, 2 as never, new Uint8Array(1) as never),
      /Uint8/,
    ],
    ["an end of a range", (tx, { rows }) => tx.range(rows, { to: {} as never }), /a key of the table/],
    ["a start of a range", (tx, { rows }) => tx.range(rows, { from: NaN as never }), /a key of the table/],
    [
      "a limit 0",
      (tx, { rows }) => tx.range(rows, { limit: 0 }),
      /limit must be a whole number from 1 up, not 0/,
    ],
    ["a limit 1.5", (tx, { rows }) => tx.range(rows, { limit: 1.5 }), /limit must be/],
    ["a limit NaN", (tx, { rows }) => tx.range(rows, { limit: NaN }), /limit must be/],
    ["a limit -1", (tx, { rows }) => tx.range(rows, { limit: -1 }), /limit must be/],
    ["an option of a range", (tx, { rows }) => tx.range(rows, { start: 1 } as never), /no option "start"/],
    ["no predicate", (tx, { rows }) => tx.where(rows, { n: 1 } as never), /where takes a function, as in/],
    ["an unknown index", (tx, { rows }) => tx.by(rows, "m", 1), /has no index "m"; it has "n"/],
    ["a value of an index", (tx, { rows }) => tx.by(rows, "n", {} as never), /a value of the index "n" of/],
    ["no ref", (tx) => tx.set(undefined as never, 1), /bad-input: it needs a ref/],
    ["no ref or table", (tx) => tx.get({} as never), /bad-input: it needs a/],
    ["a table as a ref", (tx, { rows }) => tx.set(rows as never, 1), /it needs a ref/],
    ["a ref as a table", (tx, { a }) => tx.range(a as never), /it needs a table/],
  ];

  test.each(nonsense)("%s is refused, and nothing is changed", async (_what, use, message) => {
    const { space, a, rows, state } = world();
    const before = state();
    const block = async (tx: LockingTransaction) => {
      await tx.set(a, "new");
      await use(tx, { a, rows: rows as unknown as Table<never, never> });
    };
    expect(await refused(() => space.atomically(block, { control }))).toMatch(message);
    expect(state()).toEqual(before);
    await turn();
    expectAtRest(space, a, rows);
  });

  test("what it catches it may go on from", async () => {
    const { space, a, rows } = world();
    await space.atomically(
      async (tx: LockingTransaction) => {
        expect(await refused(async () => tx.put(rows, NaN, { n: 1 }))).toMatch(/^bad-input/);
        expect(await refused(async () => tx.range(rows, { limit: 0 }))).toMatch(/^bad-input/);
        await tx.set(a, "new");
      },
      { control },
    );
    expect(a.get()).toBe("new");
    expectAtRest(space, a, rows);
  });

  test("an index that throws, or gives nonsense, refuses the row", async () => {
    const space = new Space();
    const boom = new Error("boom");
    const table = space.table<number, { of: unknown }, "of">({
      name: "odd",
      indexes: {
        of: ({ of }) => {
          if (of === "boom") throw boom;
          return of as never;
        },
      },
    });
    const put = (of: unknown) => () =>
      space.atomically(
        async (tx: LockingTransaction) => {
          await tx.put(table, 1, { of: "first" });
          await tx.put(table, 2, { of });
        },
        { control },
      );
    expect(await refused(put("boom"))).toBe("Error: boom");
    for (const nonsense of [NaN, {}, null, true, Symbol("x"), () => 1]) {
      expect(await refused(put(nonsense))).toMatch(
        /bad-input: what the index "of" of the table "odd" makes of a row/,
      );
    }
    await turn();
    expect(space.atomicallySync((tx) => tx.range(table))).toEqual([]);
    expectAtRest(space, table);
    await put(undefined)();
    expect(space.atomicallySync((tx) => tx.by(table, "of", "first"))).toEqual([[1, { of: "first" }]]);
  });

  test("a predicate that throws is the block's own error", async () => {
    const { space, rows, state } = world();
    const block = async (tx: LockingTransaction) => {
      await tx.delete(rows, 1);
      await tx.put(rows, 2, { n: 2 });
      await tx.where(rows, () => {
        throw new Error("boom");
      });
    };
    const before = state();
    expect(await refused(() => space.atomically(block, { control }))).toBe("Error: boom");
    expect(state()).toEqual(before);
    await turn();
    expectAtRest(space, rows);
  });
});

test.each(["optimistic", "adaptive"] as const)("attempts that are used up say why: %s", async (control) => {
  const { space, a, rows } = world();
  for (const attempts of [1, 2]) {
    let runs = 0;
    const block = async (tx: LockingTransaction) => {
      runs++;
      const before = await tx.get(a);
      await turn();
      // One who cannot wait passes by all who could.
      space.atomicallySync((other) => other.set(a, `${before}!`));
      await turn();
      await tx.set(a, "mine");
    };
    const begun = space.atomically(block, { control, attempts });
    expect(await refused(() => begun)).toMatch(
      /retries-exhausted: .* the ref "a" was changed by others meanwhile/,
    );
    expect([runs, a.get()]).toEqual([attempts, `old${"!".repeat(runs)}`]);
    space.atomicallySync((tx) => tx.set(a, "old"));
  }
  expectAtRest(space, a, rows);
});
