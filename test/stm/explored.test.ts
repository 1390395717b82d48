// The classic cases of three transactions under the explorer: in every order of their steps they come out as
// if they had been one after the other, at every control that promises so; and where that is not promised,
// the explorer finds the order in which they do not.
import { explore, type Program, type Stage } from "lockstep/explore";
import { Space, type LockingTransaction, type Ref, type TransactionOptions } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { raceIn } from "../explore/found.js";

const serializable: Record<string, TransactionOptions> = {
  optimistic: { control: "optimistic" },
  pessimistic: { control: "pessimistic" },
  "pessimistic, sorted": { control: "pessimistic", order: "sorted" },
  adaptive: { control: "adaptive" },
};

const repeatable: Record<string, TransactionOptions> = Object.fromEntries(
  Object.entries(serializable).map(([name, options]) => [
    name,
    { ...options, isolation: "repeatable-read" as const },
  ]),
);

/** Others can go on between what it reads and all that comes of it. */
interface SlowTransaction {
  get<T>(ref: Ref<T>): Promise<T>;
  getForUpdate<T>(ref: Ref<T>): Promise<T>;
  set<T>(ref: Ref<T>, value: T): Promise<void>;
  retry(): never;
}

type Blocks = Record<string, (tx: SlowTransaction) => Promise<unknown>>;
type Case = (options: TransactionOptions) => Program;

async function isProven(program: Program): Promise<void> {
  const found = await explore(program, { mode: "exhaustive", runs: 500_000 });
  expect(found.isComplete, found.summary).toBe(true);
}

/** What all blocks come to that begin at once, each a task of its own. */
function together({ task, step }: Stage, space: Space, options: TransactionOptions, blocks: Blocks) {
  const slow = (tx: LockingTransaction): SlowTransaction => {
    const slowly = async <T>(read: T | Promise<T>): Promise<T> => {
      const value = await read;
      await step();
      return value;
    };
    return {
      get: (ref) => slowly(tx.get(ref)),
      getForUpdate: (ref) => slowly(tx.getForUpdate(ref)),
      set: async (ref, value) => tx.set(ref, value),
      retry: () => tx.retry(),
    };
  };
  const begin = ([name, block]: [string, Blocks[string]]) =>
    task(name, () => space.atomically((tx: LockingTransaction) => block(slow(tx)), options));
  return Promise.all(Object.entries(blocks).map(begin));
}

/** Each reads whether the other is there, and leaves only then; so one must stay. */
const writeSkew: Case = (options) => async (stage) => {
  const space = new Space();
  const [ann, bob] = [space.ref(true), space.ref(true)];
  const leave = (own: Ref<boolean>, other: Ref<boolean>) => async (tx: SlowTransaction) => {
    if (await tx.get(other)) await tx.set(own, false);
  };
  const look = async (tx: SlowTransaction) => (await tx.get(ann)) || (await tx.get(bob));
  const blocks = { "Ann leaves": leave(ann, bob), "Bob leaves": leave(bob, ann), look };
  const [, , isSomebodyThere] = await together(stage, space, options, blocks);
  expect([ann.get(), bob.get()], "who is there in the end").toContain(true);
  expect(isSomebodyThere).toBe(true);
};

/**
 * A deposit, a withdrawal that costs a fee if it overdraws, and one who reads both accounts: who sees the
 * deposit and not the withdrawal must find no fee in the end.
 */
const readOnlyAnomaly: Case = (options) => async (stage) => {
  const space = new Space();
  const [checking, saving] = [space.ref(0), space.ref(0)];
  const deposit = async (tx: SlowTransaction) => tx.set(saving, (await tx.get(saving)) + 20);
  const withdraw = async (tx: SlowTransaction) => {
    const balance = await tx.get(checking);
    const fee = balance + (await tx.get(saving)) < 10 ? 1 : 0;
    await tx.set(checking, balance - 10 - fee);
  };
  const report = async (tx: SlowTransaction) => `${await tx.get(checking)} and ${await tx.get(saving)}`;
  const [, , seen] = await together(stage, space, options, { deposit, withdraw, report });
  const withFee = ["0 and 0", "-11 and 0", "-11 and 20"];
  const withoutFee = ["0 and 0", "0 and 20", "-10 and 20"];
  expect(saving.get()).toBe(20);
  expect(checking.get() === -11 ? withFee : withoutFee, `in the end ${checking.get()}`).toContain(seen);
};

/** Round in a circle, so that in the end everybody has what they had. */
const transfers: Case = (options) => async (stage) => {
  const space = new Space();
  const [a, b, c] = [space.ref(100), space.ref(100), space.ref(100)];
  const transfer = (from: Ref<number>, to: Ref<number>) => async (tx: SlowTransaction) => {
    await tx.set(from, (await tx.get(from)) - 10);
    await tx.set(to, (await tx.get(to)) + 10);
  };
  stage.invariant(() => a.get() + b.get() + c.get() === 300);
  const blocks = { "a to b": transfer(a, b), "b to c": transfer(b, c), "c to a": transfer(c, a) };
  await together(stage, space, options, blocks);
  expect([a.get(), b.get(), c.get()]).toEqual([100, 100, 100]);
};

const increments: Case = (options) => async (stage) => {
  const space = new Space();
  const count = space.ref(0);
  const increment = async (tx: SlowTransaction) => tx.set(count, (await tx.get(count)) + 1);
  await together(stage, space, options, { one: increment, two: increment, three: increment });
  expect(count.get()).toBe(3);
};

/** Three at a round table, each of whom takes the fork to the left, and then the one to the right. */
const dining: Case = (options) => async (stage) => {
  const space = new Space();
  const [a, b, c] = [space.ref(0), space.ref(0), space.ref(0)];
  const dine = (left: Ref<number>, right: Ref<number>) => async (tx: SlowTransaction) => {
    const [first, second] = [await tx.getForUpdate(left), await tx.getForUpdate(right)];
    await tx.set(left, first + 1);
    await tx.set(right, second + 1);
  };
  await together(stage, space, options, { Kant: dine(a, b), Hume: dine(b, c), Marx: dine(c, a) });
  expect([a.get(), b.get(), c.get()]).toEqual([2, 2, 2]);
};

/** Two take from an empty shelf, and wait for the one who fills it: neither may sleep for ever. */
const shelf: Case = (options) => async (stage) => {
  const space = new Space();
  const stock = space.ref(0);
  const take = async (tx: SlowTransaction) => {
    const count = await tx.get(stock);
    if (count === 0) tx.retry();
    await tx.set(stock, count - 1);
  };
  const fill = async (tx: SlowTransaction) => tx.set(stock, (await tx.get(stock)) + 2);
  await together(stage, space, options, { "take one": take, "take another": take, fill });
  expect(stock.get()).toBe(0);
};

const cases: Record<string, Case> = {
  "write skew": writeSkew,
  "the read-only anomaly": readOnlyAnomaly,
  "transfers in a circle": transfers,
  "three increments": increments,
  "the dining philosophers": dining,
  "a shelf that is filled": shelf,
};

describe.each(Object.entries(cases))("%s", { timeout: 60_000 }, (_case, program) => {
  test.each(Object.entries(serializable))("is serializable in every schedule: %s", async (_name, options) => {
    await isProven(program(options));
  });
});

describe.each([
  ["write skew", writeSkew, "who is there in the end"],
  ["the read-only anomaly", readOnlyAnomaly, "in the end -11"],
] as const)("%s", (_case, program, message) => {
  test.each(Object.entries(repeatable))("is found at repeatable-read: %s", async (_name, options) => {
    const found = await raceIn(program(options));
    expect(found.message).toContain(message);
  });
});

test.each(Object.entries(repeatable))(
  "no update is lost at repeatable-read, either: %s",
  async (_, options) => {
    await isProven(increments(options));
  },
);
