import { orElse, Space, type LockingTransaction, type Transaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

/** What each of the operations of a transaction throws or rejects with. */
async function refusals(tx: LockingTransaction, { a, rows }: ReturnType<typeof world>): Promise<string[]> {
  const operations: (() => unknown)[] = [
    () => tx.get(a),
    () => tx.get(rows, 1),
    () => tx.getForUpdate(a),
    () => tx.range(rows),
    () => tx.where(rows, () => true),
    () => tx.by(rows, "n", 1),
    () => tx.set(a, "new"),
    () => tx.update(a, () => "new"),
    () => tx.put(rows, 1, { n: 2, list: [], inner: { n: 2 } }),
    () => tx.delete(rows, 1),
    () => tx.nested(() => 0),
    () => tx.retry(),
    () => tx.onCommit(() => expect.unreachable()),
    () => tx.onRollback(() => expect.unreachable()),
    () => orElse(() => 0)(tx),
  ];
  return Promise.all(operations.map((operation) => refusal(operation)));
}

interface Row {
  n: number;
  list: number[];
  inner: { n: number };
}

function world() {
  const space = new Space();
  const a = space.ref("old", { name: "a" });
  const rows = space.table<number, Row, "n">({ name: "rows", indexes: { n: ({ n }) => n } });
  space.atomicallySync((tx) => tx.put(rows, 1, { n: 1, list: [3, 1], inner: { n: 1 } }));
  const state = () => [a.get(), space.atomicallySync((tx) => tx.range(rows))];
  return { space, a, rows, state, before: state() };
}

describe.each(["the same space", "another space"])("inside a transaction, one of %s", (which) => {
  const inner: [string, (space: Space) => unknown][] = [
    ["atomically", (space) => space.atomically(() => expect.unreachable())],
    [
      "atomically with options",
      (space) => space.atomically(() => expect.unreachable(), { control: "adaptive" }),
    ],
    ["atomicallySync", (space) => space.atomicallySync(() => expect.unreachable())],
  ];

  test.each(inner)("is refused, and it says what to do instead: %s", async (_name, begin) => {
    const { space, a, rows, state, before } = world();
    const of = which === "another space" ? new Space() : space;
    for (const control of controls) {
      const outer = space.atomically(
        async (tx: LockingTransaction) => {
          void tx.set(a, "new");
          await begin(of);
        },
        { control },
      );
      await expect(outer).rejects.toThrow(/tx\.nested\(.*tx\.onCommit\(/);
      expect(await refusal(() => outer)).toBe("misuse");
    }
    let inSync: Promise<string> | undefined;
    space.atomicallySync(() => void (inSync = refusal(() => begin(of))));
    expect(await inSync).toBe("misuse");
    expect(state()).toEqual(before);
    expectAtRest(space, a, rows);
  });
});

describe("a transaction used after its end", () => {
  test.each(controls)("is refused, whatever it is to do: %s", async (control) => {
    const all = world();
    const { space, a, rows, before, state } = all;
    let kept!: LockingTransaction;
    const keep = async (tx: LockingTransaction) => {
      kept = tx;
      await tx.get(a);
    };
    const ends: (() => Promise<unknown>)[] = [
      () => space.atomically(keep, { control }),
      () =>
        space.atomically((tx: LockingTransaction) => keep(tx).then(() => expect.fail("on purpose")), {
          control,
        }),
    ];
    for (const end of ends) {
      await end().catch(() => undefined);
      const refused = await refusals(kept, all);
      expect(new Set(refused)).toEqual(new Set(["misuse"]));
      expect(() => kept.onCommit(() => 0)).toThrow(/this transaction is over: await in the block/);
    }
    expect(state()).toEqual(before);
    expectAtRest(space, a, rows);
  });

  test("by a timer that its block left running", async () => {
    const { space, a, state, before } = world();
    let refused: Promise<string> | undefined;
    await space.atomically((tx) => {
      setImmediate(() => {
        refused = refusal(() => tx.set(a, "late"));
      });
    });
    await turn();
    expect(await refused).toBe("misuse");
    expect(state()).toEqual(before);
  });

  test("of a run that came to nothing, by the next run", async () => {
    const { space, a } = world();
    const seen: Transaction[] = [];
    const done = space.atomically(async (tx) => {
      seen.push(tx);
      tx.get(a);
      await turn();
      tx.set(a, "mine");
    });
    space.atomicallySync((tx) => tx.set(a, "theirs"));
    await done;
    expect(seen.length).toBe(2);
    expect(await refusal(() => seen[0]!.get(a))).toBe("misuse");
  });

  test("of a transaction that only read, and of atomicallySync", async () => {
    const { space, a, state, before } = world();
    const reading = await space.atomically((tx) => [tx], { readOnly: true });
    const sync = space.atomicallySync((tx) => [tx]);
    expect(await refusal(() => reading[0]!.get(a))).toBe("misuse");
    expect(await refusal(() => sync[0]!.set(a, "late"))).toBe("misuse");
    expect(state()).toEqual(before);
  });
});

test.each(controls)("the transaction of one block is not used in another's: %s", async (control) => {
  const all = world();
  const { space, a, rows, state, before } = all;
  let other!: LockingTransaction;
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const outer = space.atomically(
    async (tx: LockingTransaction) => {
      other = tx;
      await ended;
    },
    { control },
  );
  let refused: string[] | undefined;
  await space.atomically(
    async () => {
      // All of them are called before anything is awaited.
      refused = await refusals(other, all);
    },
    { control },
  );
  expect(new Set(refused)).toEqual(new Set(["misuse"]));
  end();
  await outer;
  expect(state()).toEqual(before);
  expectAtRest(space, a, rows);
});

test.each(controls)("refs and tables of another space: %s", async (control) => {
  const [mine, theirs] = [world(), world()];
  const uses: ((tx: LockingTransaction) => unknown)[] = [
    (tx) => tx.get(theirs.a),
    (tx) => tx.set(theirs.a, "new"),
    (tx) => tx.update(theirs.a, () => "new"),
    (tx) => tx.getForUpdate(theirs.rows, 1),
    (tx) => tx.range(theirs.rows),
    (tx) => tx.by(theirs.rows, "n", 1),
    (tx) => tx.delete(theirs.rows, 1),
  ];
  for (const use of uses) {
    const block = async (tx: LockingTransaction) => {
      await tx.set(mine.a, "new");
      await use(tx);
    };
    const refused = mine.space.atomically(block, { control });
    await expect(refused).rejects.toThrow(/the (ref "a"|table "rows") is of another space/);
    expect(await refusal(() => refused)).toBe("misuse");
  }
  expect([mine.state(), theirs.state()]).toEqual([mine.before, theirs.before]);
  expectAtRest(mine.space, mine.a, mine.rows);
  expectAtRest(theirs.space, theirs.a, theirs.rows);
});

describe("atomicallySync", () => {
  test("refuses what would have to wait, and changes nothing", async () => {
    const { space, a, rows, state, before } = world();
    const blocks: ((tx: Transaction) => unknown)[] = [
      async (tx) => {
        tx.set(a, "new");
      },
      (tx) => {
        tx.set(a, "new");
        return Promise.reject(new Error("boom"));
      },
      (tx) => {
        tx.set(a, "new");
        return { then: () => undefined };
      },
      (tx) => (tx.get(a) === "old" ? tx.retry() : 0),
      (tx) => {
        tx.get(a);
        try {
          tx.retry();
        } catch {
          tx.set(a, "new");
        }
      },
    ];
    for (const block of blocks) {
      const call = () => space.atomicallySync(block);
      expect(call, String(block)).toThrow(/atomicallySync cannot wait|it called tx.retry/);
      expect(await refusal(call)).toBe("misuse");
    }
    expect(state()).toEqual(before);
    expectAtRest(space, a, rows);
  });

  test("says 'timeout' where a pessimistic transaction has locked what it would write", async () => {
    const { space, a, rows, state, before } = world();
    let end!: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const block = async (tx: LockingTransaction) => {
      await tx.get(a);
      await tx.range(rows, { from: 5 });
      await ended;
    };
    const holder = space.atomically(block, { control: "pessimistic" });
    await turn();
    const row = { n: 2, list: [], inner: { n: 2 } };
    const call = (use: (tx: Transaction) => void) => refusal(() => space.atomicallySync(use));
    expect(await call((tx) => tx.set(a, "new"))).toBe("timeout");
    expect(await call((tx) => tx.put(rows, 5, row))).toBe("timeout");
    expect(() => space.atomicallySync((tx) => tx.set(a, "new"))).toThrow(
      /the ref "a" is locked.*use atomically/,
    );
    // What the other only reads may be read, and what it has not touched may be written.
    expect(space.atomicallySync((tx) => tx.get(a))).toBe("old");
    expect(await call((tx) => tx.put(rows, 4, row))).toBe("none");
    space.atomicallySync((tx) => tx.delete(rows, 4));
    end();
    await holder;
    expect(state()).toEqual(before);
    expectAtRest(space, a, rows);
  });
});

test("a transaction that only reads refuses to write", async () => {
  const { space, a, rows, state, before } = world();
  const uses: ((tx: Transaction) => unknown)[] = [
    (tx) => tx.set(a, "new"),
    (tx) => tx.update(a, () => "new"),
    (tx) => tx.getForUpdate(a),
    (tx) => tx.delete(rows, 1),
    (tx) => tx.put(rows, 1, { n: 1, list: [], inner: { n: 1 } }),
  ];
  for (const control of controls) {
    for (const use of uses) {
      const block = (tx: unknown) => void use(tx as Transaction);
      const refused = space.atomically(block, { control, readOnly: true });
      await expect(refused).rejects.toThrow("leave the option out");
    }
  }
  expect(state()).toEqual(before);
});

test("tx.retry that has read nothing would sleep for ever", async () => {
  const { space } = world();
  for (const control of controls) {
    const waiting = space.atomically((tx) => tx.retry(), { control });
    await expect(waiting).rejects.toThrow("it has read nothing");
    expect(await refusal(() => waiting)).toBe("misuse");
  }
});
