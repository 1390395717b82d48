// What is called when a transaction has committed, and when a run of its block has come to nothing.
import { Space, type LockingTransaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { abortable, refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";
import { collectUnhandled } from "./unhandled.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

const uncaught = collectUnhandled();

describe.each(controls)("%s", (control) => {
  test("onCommit is called in order, after the commit and before the caller hears of it", async () => {
    const space = new Space();
    const a = space.ref(0);
    const calls: unknown[] = [];
    await space.atomically(
      async (tx: LockingTransaction) => {
        tx.onCommit(() => calls.push(["first", a.get()]));
        await turn();
        await tx.set(a, 1);
        tx.onCommit(() => calls.push(["second", a.get()]));
        tx.onRollback(() => calls.push("undone"));
        expect(calls).toEqual([]);
      },
      { control },
    );
    expect(calls).toEqual([
      ["first", 1],
      ["second", 1],
    ]);
  });

  test("of five runs onCommit is called once, and onRollback for each that failed", async () => {
    const space = new Space();
    const a = space.ref(0);
    const calls: string[] = [];
    let runs = 0;
    const waiting = space.atomically(
      async (tx: LockingTransaction) => {
        const run = ++runs;
        tx.onCommit(() => calls.push(`run ${run} committed`));
        tx.onRollback(() => calls.push(`run ${run} undone`));
        if ((await tx.get(a)) < 4) tx.retry();
      },
      { control },
    );
    for (let value = 1; value <= 4; value++) {
      await turn();
      space.atomicallySync((tx) => tx.set(a, value));
    }
    await waiting;
    expect(calls).toEqual([
      "run 1 undone",
      "run 2 undone",
      "run 3 undone",
      "run 4 undone",
      "run 5 committed",
    ]);
  });

  test("a block that throws, and a caller who goes, undo it once", async () => {
    const space = new Space();
    const a = space.ref(0);
    const calls: string[] = [];
    const { signal, abort } = abortable();
    const block = (end: () => unknown) => async (tx: LockingTransaction) => {
      tx.onCommit(() => calls.push("committed"));
      tx.onRollback(() => calls.push("undone"));
      await tx.set(a, 1);
      await turn();
      return end();
    };
    const fail = () => {
      throw new Error("boom");
    };
    expect(await refusal(() => space.atomically(block(fail), { control }))).toBe("Error: boom");
    expect(calls.splice(0)).toEqual(["undone"]);
    const gone = space.atomically(block(turn), { control, signal });
    abort("enough");
    expect(calls.splice(0)).toEqual(["undone"]);
    expect(await refusal(() => gone)).toBe("enough");
    await turn();
    await turn();
    expect([calls, a.get()]).toEqual([[], 0]);
    expectAtRest(space, a);
  });

  test("what hooks throw is uncaught, and changes nothing of what became of the transaction", async () => {
    const space = new Space();
    const a = space.ref(0);
    const calls: string[] = [];
    const throws = (what: string) => () => {
      calls.push(what);
      throw new Error(what);
    };
    const done = await space.atomically(
      async (tx: LockingTransaction) => {
        tx.onCommit(throws("first"));
        tx.onCommit(async () => throws("second")());
        tx.onCommit(() => calls.push("third"));
        await tx.set(a, 1);
        return "done";
      },
      { control },
    );
    expect([done, a.get(), calls.splice(0)]).toEqual(["done", 1, ["first", "second", "third"]]);
    const failing = space.atomically(
      (tx) => {
        tx.onRollback(throws("undone"));
        throw new Error("boom");
      },
      { control },
    );
    expect(await refusal(() => failing)).toBe("Error: boom");
    await turn();
    expect(uncaught.map(String)).toEqual(["Error: first", "Error: second", "Error: undone"]);
    uncaught.length = 0;
  });

  test("a hook may begin another transaction", async () => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    let after: Promise<unknown> | undefined;
    await space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(a, 1);
        tx.onCommit(() => {
          space.atomicallySync((next) => next.set(b, next.get(a) + 1));
          after = space.atomically(async (next: LockingTransaction) => next.set(a, (await next.get(b)) + 1), {
            control,
          });
        });
      },
      { control },
    );
    await after;
    expect([a.get(), b.get()]).toEqual([3, 2]);
    expectAtRest(space, a, b);
  });

  test("nobody is under way any more, and all locks are free, when hooks are called", async () => {
    const space = new Space();
    const a = space.ref(0);
    const looked: string[] = [];
    const block = async (tx: LockingTransaction) => {
      await tx.set(a, (await tx.get(a)) + 1);
      tx.onCommit(() => {
        expectAtRest(space, a);
        looked.push("committed");
      });
      await turn();
    };
    await space.atomically(block, { control });
    await turn();
    expect([looked, uncaught]).toEqual([["committed"], []]);
  });
});

test("hooks of atomicallySync", () => {
  const space = new Space();
  const a = space.ref(0);
  const calls: unknown[] = [];
  const set = (value: number) =>
    space.atomicallySync((tx) => {
      tx.onCommit(() => calls.push(`committed ${a.get()}`));
      tx.onRollback(() => calls.push(`undone ${a.get()}`));
      tx.set(a, value);
      if (value > 1) throw new Error("boom");
    });
  set(1);
  expect(() => set(2)).toThrow("boom");
  expect(calls).toEqual(["committed 1", "undone 1"]);
});
