// What comes at the last moment: a caller who goes while the end is near, and a block that goes on after it.
import { Space, type LockingTransaction, type Ref, type Transaction } from "lockstep/stm";
import { afterEach, describe, expect, test } from "vitest";
import { abortable, follow, refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";
import { collectUnhandled } from "./unhandled.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;
const pessimistic = { control: "pessimistic" } as const;

const uncaught = collectUnhandled();
afterEach(() => {
  expect(uncaught).toEqual([]);
});

/** Another one, who reads it under a lock until told to let go. */
function readByAnother(space: Space, ref: Ref<number>) {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const holder = space.atomically(async (tx) => {
    await tx.get(ref);
    await opened;
  }, pessimistic);
  return () => {
    open();
    return holder;
  };
}

async function ticks(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await Promise.resolve();
}

describe.each(controls)("%s: an abort", (control) => {
  test.each([0, 1, 2, 3])("%i ticks after tx.retry() is heard, and leaves no sleeper", async (count) => {
    const space = new Space();
    const a = space.ref(0);
    const { signal, abort } = abortable();
    const waiting = space.atomically(
      async (tx: LockingTransaction) => {
        await tx.get(a);
        void ticks(count).then(() => {
          abort("gone");
        });
        tx.retry();
      },
      { control, signal },
    );
    expect(await refusal(() => waiting)).toBe("gone");
    await turn();
    expectAtRest(space, a);
  });
});

// The commit has to wait for both; it is given the first, and its caller goes before it stands in line for
// the second.
test.each(Array.from({ length: 10 }, (_, count) => count))(
  "who is called off %i ticks after it was granted a lock stands in no line for the next",
  async (count) => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    const [letGoOfA, letGoOfB] = [readByAnother(space, a), readByAnother(space, b)];
    await turn();
    const { signal, abort } = abortable();
    const writing = follow(
      space.atomically(
        (tx) => {
          tx.set(a, 1);
          tx.set(b, 1);
        },
        { signal },
      ),
    );
    await turn();
    void letGoOfA();
    await ticks(count);
    abort("gone");
    await turn();
    expect(writing.is).toBe("gone");
    const reading = follow(space.atomically((tx) => tx.get(b), pessimistic));
    await turn();
    expect(reading).toMatchObject({ is: "done", value: 0 });
    await letGoOfB();
    expect([a.get(), b.get()]).toEqual([0, 0]);
    expectAtRest(space, a, b);
  },
);

describe("what is called back on a rollback may write what the transaction itself had locked", () => {
  async function play(leave: (tx: LockingTransaction) => never) {
    const space = new Space();
    const [failures, go] = [space.ref(0), space.ref(false)];
    const failing = follow(
      space.atomically(async (tx) => {
        if (await tx.get(go)) return;
        tx.onRollback(() => space.atomicallySync((other) => other.update(failures, (count) => count + 1)));
        await tx.set(failures, 100);
        leave(tx);
      }, pessimistic),
    );
    await turn();
    expect(failures.get()).toBe(1);
    space.atomicallySync((tx) => tx.set(go, true));
    await turn();
    expectAtRest(space, failures, go);
    return failing.is;
  }

  test("when its block has thrown", async () => {
    const fail = () => {
      throw new Error("boom");
    };
    expect(await play(fail)).toBe("Error: boom");
  });

  test("when its block has called tx.retry()", async () => {
    expect(await play((tx) => tx.retry())).toBe("done");
  });
});

test("who is called off by its own predicate, while its commit is checked, has not committed", async () => {
  const space = new Space();
  const table = space.table<number, number>();
  const a = space.ref(0);
  const { signal, abort } = abortable();
  const calls: string[] = [];
  let isChecking = false;
  const writing = space.atomically(
    async (tx) => {
      tx.onCommit(() => calls.push("committed"));
      tx.onRollback(() => calls.push("rolled back"));
      tx.where(table, () => {
        if (isChecking) abort("gone");
        return false;
      });
      await turn();
      space.atomicallySync((other) => other.put(table, 1, 1));
      tx.set(a, 1);
      isChecking = true;
    },
    { signal },
  );
  expect(await refusal(() => writing)).toBe("gone");
  expect(a.get()).toBe(0);
  expect(calls).toEqual(["rolled back"]);
  expectAtRest(space, a, table);
});

describe("a block that has returned, and whose commit waits for a lock,", () => {
  const uses: Record<string, (tx: Transaction, ref: Ref<number>) => unknown> = {
    "write a ref": (tx, ref) => {
      tx.set(ref, 5);
    },
    "update a ref": (tx, ref) => tx.update(ref, () => 5),
    "read a ref": (tx, ref) => tx.get(ref),
    "have a part": (tx, ref) =>
      tx.nested((part) => {
        part.set(ref, 5);
      }),
    retry: (tx) => tx.retry(),
    "have a hook": (tx) => {
      tx.onCommit(() => {
        throw new Error("called back");
      });
    },
  };

  test.each(Object.keys(uses))("cannot %s any more", async (what) => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    const letGo = readByAnother(space, a);
    await turn();
    let kept!: Transaction;
    const writing = follow(
      space.atomically((tx) => {
        tx.set(a, 1);
        kept = tx;
      }),
    );
    await turn();
    expect(writing.is).toBe("waits");
    expect(await refusal(() => uses[what]!(kept, b))).toBe("misuse");
    await letGo();
    await turn();
    expect(writing.is).toBe("done");
    expect([a.get(), b.get()]).toEqual([1, 0]);
    expectAtRest(space, a, b);
  });
});
