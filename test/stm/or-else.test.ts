import { orElse, Space, type LockingTransaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

function shelves() {
  const space = new Space();
  const [first, second, third, log] = [space.ref(0), space.ref(0), space.ref(0), space.ref("")];
  const from = (shelf: typeof first, name: string) => async (tx: LockingTransaction) => {
    await tx.set(log, `${await tx.get(log)}${name} `);
    const count = await tx.get(shelf);
    await turn();
    if (count === 0) tx.retry();
    await tx.set(shelf, count - 1);
    return name;
  };
  return { space, first, second, third, log, from };
}

describe.each(controls)("orElse, %s", (control) => {
  test("does what the first does that need not wait, and nothing of what others did before", async () => {
    const { space, first, second, third, log, from } = shelves();
    space.atomicallySync((tx) => tx.set(third, 1));
    const any = orElse(from(first, "first"), from(second, "second"), from(third, "third"));
    expect(await space.atomically(any, { control })).toBe("third");
    expect([log.get(), third.get()]).toEqual(["third ", 0]);
    expectAtRest(space, first, second, third, log);
  });

  test.each([0, 1, 2])("sleeps until any has something to do: number %i", async (which) => {
    const { space, first, second, third, log, from } = shelves();
    const any = orElse(from(first, "0"), from(second, "1"), from(third, "2"));
    const taken = space.atomically(any, { control });
    for (let turns = 0; turns < 5; turns++) await turn();
    space.atomicallySync((tx) => tx.set([first, second, third][which]!, 1));
    expect(await taken).toBe(String(which));
    expect(log.get()).toBe(`${which} `);
    expectAtRest(space, first, second, third, log);
  });

  test("is a block like any other: within another, and within a part", async () => {
    const { space, first, second, third, log, from } = shelves();
    const two = orElse(from(first, "first"), from(second, "second"));
    const taken = space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(log, "before ");
        return tx.nested(orElse(two, from(third, "third")));
      },
      { control },
    );
    for (let turns = 0; turns < 6; turns++) await turn();
    space.atomicallySync((tx) => tx.set(second, 1));
    expect(await taken).toBe("second");
    expect(log.get()).toBe("before second ");
    expectAtRest(space, first, second, third, log);
  });

  test("an error is no reason to try the next", async () => {
    const { space, first, log, from } = shelves();
    const fail = async (tx: LockingTransaction) => {
      await tx.set(log, "failed");
      throw new Error("boom");
    };
    await expect(space.atomically(orElse(fail, from(first, "first")), { control })).rejects.toThrow("boom");
    expect(log.get()).toBe("");
    expectAtRest(space, first, log);
  });
});

test("orElse of blocks that do not wait does not wait", () => {
  const { space, first, second } = shelves();
  space.atomicallySync((tx) => tx.set(second, 2));
  const calls: string[] = [];
  const taken = space.atomicallySync(
    orElse(
      (tx) => {
        tx.set(second, 100);
        tx.onCommit(() => calls.push("first committed"));
        tx.onRollback(() => calls.push("first undone"));
        return tx.get(first) === 0 ? tx.retry() : 1;
      },
      (tx) => {
        tx.onCommit(() => calls.push("second committed"));
        return tx.get(second);
      },
    ),
  );
  expect([taken, second.get()]).toEqual([2, 2]);
  expect(calls).toEqual(["first undone", "second committed"]);
});

test("orElse in a transaction that only reads", async () => {
  const { space, first, second } = shelves();
  const taken = space.atomically(
    orElse(
      (tx) => (tx.get(first) === 0 ? tx.retry() : "first"),
      (tx) => (tx.get(second) === 0 ? tx.retry() : "second"),
    ),
    { readOnly: true },
  );
  await turn();
  space.atomicallySync((tx) => tx.set(second, 1));
  expect(await taken).toBe("second");
  expectAtRest(space, first, second);
});

test("orElse sleeps with the rest of its block", async () => {
  const { space, first, second, third } = shelves();
  let runs = 0;
  const taken = space.atomically((tx) => {
    runs++;
    const found = orElse(
      () => (tx.get(first) === 0 ? tx.retry() : "first"),
      () => (tx.get(second) === 0 ? tx.retry() : "second"),
    )(tx);
    if (tx.get(third) === 0) tx.retry();
    return found;
  });
  for (const shelf of [first, second, third]) {
    await turn();
    space.atomicallySync((tx) => tx.set(shelf, 1));
  }
  // What is in the second is of no matter any more, once there is something in the first.
  expect([await taken, runs]).toEqual(["first", 3]);
});
