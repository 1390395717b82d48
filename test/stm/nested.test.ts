import { Space, type LockingTransaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { abortable, refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;
const boom = new Error("boom");

function world() {
  const space = new Space();
  const [a, b] = [space.ref("old"), space.ref("old")];
  const rows = space.table<number, string, "text">({ indexes: { text: (row) => row } });
  space.atomicallySync((tx) => tx.put(rows, 1, "old"));
  const state = () => [a.get(), b.get(), space.atomicallySync((tx) => tx.range(rows).map(([, row]) => row))];
  return { space, a, b, rows, state };
}

async function fails(
  tx: LockingTransaction,
  part: (tx: LockingTransaction) => Promise<unknown>,
): Promise<void> {
  await expect(tx.nested(part)).rejects.toBe(boom);
}

describe.each(controls)("a part of a transaction, %s", (control) => {
  test("that fails leaves no write, and the rest goes on as it was before", async () => {
    const { space, a, b, rows, state } = world();
    await space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(a, "before");
        await tx.put(rows, 2, "before");
        await fails(tx, async (part) => {
          await part.set(a, "part");
          await part.set(b, "part");
          await turn();
          await part.put(rows, 1, "part");
          await part.delete(rows, 2);
          await part.put(rows, 3, "part");
          expect(await part.get(a)).toBe("part");
          expect((await part.by(rows, "text", "part")).map(([key]) => key)).toEqual([1, 3]);
          throw boom;
        });
        expect([await tx.get(a), await tx.get(b)]).toEqual(["before", "old"]);
        expect((await tx.range(rows)).map(([, row]) => row)).toEqual(["old", "before"]);
        await tx.set(b, "after");
      },
      { control },
    );
    expect(state()).toEqual(["before", "after", ["old", "before"]]);
    expectAtRest(space, a, b, rows);
  });

  test("that succeeds is undone with what it is a part of", async () => {
    const { space, a, b, rows, state } = world();
    await space.atomically(
      async (tx: LockingTransaction) => {
        await fails(tx, async (outer) => {
          await outer.nested(async (inner) => {
            await inner.set(a, "inner");
            await inner.put(rows, 1, "inner");
          });
          expect(await outer.get(a)).toBe("inner");
          throw boom;
        });
        await tx.nested(async (outer) => {
          await outer.set(a, "outer");
          await fails(outer, async (inner) => {
            await inner.set(a, "inner");
            await inner.set(b, "inner");
            throw boom;
          });
          expect([await outer.get(a), await outer.get(b)]).toEqual(["outer", "old"]);
        });
      },
      { control },
    );
    expect(state()).toEqual(["outer", "old", ["old"]]);
    expectAtRest(space, a, b, rows);
  });

  test("whose error nobody catches undoes all", async () => {
    const { space, a, b, rows, state } = world();
    const all = space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(a, "before");
        await tx.nested(async (part) => {
          await part.put(rows, 1, "part");
          throw boom;
        });
      },
      { control },
    );
    await expect(all).rejects.toBe(boom);
    expect(state()).toEqual(["old", "old", ["old"]]);
    expectAtRest(space, a, b, rows);
  });

  test("gives what its block gives, and is given what that was given", async () => {
    const { space } = world();
    const given = await space.atomically(
      async (tx: LockingTransaction) => [
        tx.nested((part) => part === tx),
        await tx.nested(async (part) => part === tx),
      ],
      { control },
    );
    expect(given).toEqual([true, true]);
  });

  test("two parts at once are refused, and nothing is changed", async () => {
    const { space, a, b, rows, state } = world();
    const both = space.atomically(
      async (tx: LockingTransaction) => {
        const parts = [a, b].map((ref, at) =>
          tx.nested(async (part) => {
            await part.set(ref, "part");
            for (let turns = 0; turns <= at; turns++) await turn();
          }),
        );
        await Promise.all(parts);
      },
      { control },
    );
    await expect(both).rejects.toThrow("await one tx.nested(...) before the next begins");
    expect(await refusal(() => both)).toBe("misuse");
    await turn();
    expect(state()).toEqual(["old", "old", ["old"]]);
    expectAtRest(space, a, b, rows);
  });

  test("that retries sleeps with all the rest", async () => {
    const { space, a, b } = world();
    const taken = space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(b, "before");
        return tx.nested(async (part) => ((await part.get(a)) === "old" ? part.retry() : part.get(a)));
      },
      { control },
    );
    await turn();
    expectAtRest(space);
    space.atomicallySync((tx) => tx.set(a, "new"));
    expect([await taken, b.get()]).toEqual(["new", "before"]);
    expectAtRest(space, a, b);
  });

  test("hooks of what failed are not called at the commit", async () => {
    const { space } = world();
    const calls: string[] = [];
    await space.atomically(
      async (tx: LockingTransaction) => {
        const hooks = (name: string) => {
          tx.onCommit(() => calls.push(`${name} committed`));
          tx.onRollback(() => calls.push(`${name} undone`));
        };
        hooks("first");
        await fails(tx, async (part) => {
          hooks("failed");
          await part.nested(async () => hooks("within"));
          throw boom;
        });
        calls.push("goes on");
        await tx.nested(async () => hooks("second"));
      },
      { control },
    );
    expect(calls).toEqual([
      "failed undone",
      "within undone",
      "goes on",
      "first committed",
      "second committed",
    ]);
  });

  // A part that is open still when its block has returned can be undone no more.
  test("not awaited is refused, and nothing is changed", async () => {
    const { space, a, b, rows, state } = world();
    const block = async (tx: LockingTransaction) => {
      const part = tx.nested(async (part) => {
        await part.set(a, "part");
        await turn();
        throw boom;
      });
      part.catch(() => undefined);
    };
    expect(await refusal(() => space.atomically(block, { control }))).toBe("misuse");
    await turn();
    expect(state()).toEqual(["old", "old", ["old"]]);
    expectAtRest(space, a, b, rows);
  });

  test("that goes on after the caller has gone calls its hooks once", async () => {
    const { space, a } = world();
    const { signal, abort } = abortable();
    let calls = 0;
    const all = space.atomically(
      async (tx: LockingTransaction) => {
        await tx.nested(async (part) => {
          part.onRollback(() => calls++);
          await turn();
          await part.get(a);
        });
      },
      { control, signal },
    );
    abort("enough");
    expect(await refusal(() => all)).toBe("enough");
    await turn();
    await turn();
    expect(calls).toBe(1);
    expectAtRest(space, a);
  });
});

test("a part of a transaction that does not wait does not wait", () => {
  const { space, state, a, b, rows } = world();
  space.atomicallySync((tx) => {
    tx.set(a, "before");
    const part = () =>
      tx.nested(() => {
        tx.set(a, "part");
        tx.put(rows, 1, "part");
        throw boom;
      });
    expect(part).toThrow(boom);
    expect(tx.nested(() => tx.get(a))).toBe("before");
  });
  expect(state()).toEqual(["before", "old", ["old"]]);
  expectAtRest(space, a, b, rows);
});
