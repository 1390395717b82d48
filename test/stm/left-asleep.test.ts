// Who does not sleep in the end, though all was ready for it; and what is not kept for who has gone.
import { Space, type LockingTransaction, type Transaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { abortable, follow, refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

async function ticks(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await Promise.resolve();
}

describe.each(controls)("%s: an abort", (control) => {
  test("by what is called back on the rollback of a retry is heard, and leaves no sleeper", async () => {
    const space = new Space();
    const a = space.ref(0);
    const { signal, abort } = abortable();
    const waiting = space.atomically(
      async (tx: LockingTransaction) => {
        tx.onRollback(() => {
          abort("gone");
        });
        await tx.get(a);
        tx.retry();
      },
      { control, signal },
    );
    expect(await refusal(() => waiting)).toBe("gone");
    await turn();
    expectAtRest(space, a);
  });
});

test("an abort by what is called back when a block that did not wait retries is heard, too", async () => {
  const space = new Space();
  const a = space.ref(0);
  const { signal, abort } = abortable();
  const block = (tx: Transaction) => {
    tx.onRollback(() => {
      abort("gone");
    });
    tx.get(a);
    tx.retry();
  };
  expect(await refusal(() => space.atomically(block, { signal }))).toBe("gone");
  await turn();
  expectAtRest(space, a);
});

test("a block that both retries and misuses its transaction leaves no sleeper", async () => {
  const space = new Space();
  const a = space.ref(0);
  const block = (tx: Transaction) => {
    tx.get(a);
    void tx.nested(() => new Promise(() => undefined));
    expect(() => tx.retry()).toThrow();
  };
  expect(await refusal(() => space.atomically(block))).toBe("misuse");
  await turn();
  expectAtRest(space, a);
});

describe.each(["ref", "row"])("an abort while an adaptive transaction reads a %s", (what) => {
  test.each([0, 1, 2, 3, 4, 5])("keeps nothing of the past: after %i ticks", async (count) => {
    const space = new Space();
    const a = space.ref(0);
    const table = space.table<number, string>();
    const { signal, abort } = abortable();
    const reading = space.atomically(
      async (tx: LockingTransaction) => {
        await turn();
        void ticks(count).then(() => {
          abort("gone");
        });
        await (what === "ref" ? tx.get(a) : tx.get(table, 1));
        await turn();
      },
      { control: "adaptive", signal },
    );
    expect(await refusal(() => reading)).toBe("gone");
    await turn();
    expectAtRest(space, a, table);
  });
});

test("tx.retry at read-uncommitted of what was rolled back before it does not sleep through it", async () => {
  const space = new Space();
  const a = space.ref(0);
  let fail!: (error: Error) => void;
  const failing = new Promise<never>((_, reject) => (fail = reject));
  const writing = refusal(() =>
    space.atomically(async (tx) => {
      tx.set(a, 1);
      await failing;
    }),
  );
  await turn();
  let runs = 0;
  const reading = follow(
    space.atomically(
      async (tx) => {
        runs++;
        const seen = tx.get(a);
        if (runs === 1) {
          fail(new Error("rolled back"));
          await writing;
        }
        if (seen === 1) tx.retry();
        return seen;
      },
      { isolation: "read-uncommitted" },
    ),
  );
  expect(await writing).toBe("Error: rolled back");
  await turn();
  expect(reading).toMatchObject({ is: "done", value: 0 });
  expect(runs).toBe(2);
  expectAtRest(space, a);
});
