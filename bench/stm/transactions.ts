// Transactions one after the other, and a hundred tasks that want one ref: lockstep/stm and Effect.
import { Space, type LockingTransaction } from "lockstep/stm";
import type { Subjects, Workloads } from "../apart.js";
import { loadTransactions } from "./effect-transactions.js";
import { mustBe, Pairs, tallied, type Tally } from "./tally.js";
import { warm } from "./warm.js";

/** Transactions as a user of the package would write them: nobody pays for a wrapper of ours. */
interface InUse {
  /** Adds one to the first ref, and so on. */
  readonly increments: (tally: Tally) => Promise<unknown>;
  /** The same without any await, where it can be had. */
  readonly atOnce?: (tally: Tally) => unknown;
  /** Moves one from a ref to another, and so on. */
  readonly transfers: (tally: Tally, pairs: Pairs) => Promise<unknown>;
  /** Reads the first ref, awaits something, writes it, and so on. */
  readonly slowIncrements: (tally: Tally) => Promise<unknown>;
  readonly values: () => number[];
}

const accounts = 1_000;
const tasks = 100;
const settled = Promise.resolve();

export const subjects: Subjects = {
  lockstep: () => workloads(optimistic),
  "lockstep, adaptive": () => workloads((refs) => locking(refs, "adaptive")),
  "lockstep, pessimistic": () => workloads((refs) => locking(refs, "pessimistic")),

  async Effect() {
    const effect = await loadTransactions();
    const { gen, runPromise, runSync, tx, pause, makeUnsafe, get, set, update } = effect;
    return workloads((count) => {
      const refs = Array.from({ length: count }, () => makeUnsafe(0));
      const [first] = refs as [(typeof refs)[0]];
      const increment = update(first, (value) => value + 1);
      // Within Effect all the way: to enter and leave it for each transaction would cost it more.
      const again = (tally: Tally, transaction: typeof increment) =>
        gen(function* () {
          for (; tally.goesOn(); tally.commits++) yield* transaction;
        });
      return {
        increments: (tally) => runPromise(again(tally, increment)),
        atOnce: (tally) => runSync(again(tally, increment)),
        transfers: (tally, pairs) => {
          const transfer = gen(function* () {
            const [from, to] = pairs.next();
            yield* update(refs[from]!, (value) => value - 1);
            yield* update(refs[to]!, (value) => value + 1);
          });
          return runPromise(again(tally, tx(transfer)));
        },
        slowIncrements: (tally) => {
          const slowIncrement = gen(function* () {
            tally.calls++;
            const value = yield* get(first);
            yield* pause;
            yield* set(first, value + 1);
          });
          return runPromise(again(tally, tx(slowIncrement)));
        },
        values: () => refs.map(({ value }) => value),
      };
    });
  },
};

function optimistic(count: number): InUse {
  const space = new Space();
  const refs = Array.from({ length: count }, () => space.ref(0));
  const [first] = refs as [(typeof refs)[0]];
  return {
    async increments(tally) {
      for (; tally.goesOn(); tally.commits++) {
        await space.atomically((tx) => tx.set(first, tx.get(first) + 1));
      }
    },
    atOnce(tally) {
      for (; tally.goesOn(); tally.commits++) {
        space.atomicallySync((tx) => tx.set(first, tx.get(first) + 1));
      }
    },
    async transfers(tally, pairs) {
      for (; tally.goesOn(); tally.commits++) {
        const [from, to] = pairs.next();
        await space.atomically((tx) => {
          tx.set(refs[from]!, tx.get(refs[from]!) - 1);
          tx.set(refs[to]!, tx.get(refs[to]!) + 1);
        });
      }
    },
    async slowIncrements(tally) {
      for (; tally.goesOn(); tally.commits++) {
        await space.atomically(async (tx) => {
          tally.calls++;
          const value = tx.get(first);
          await settled;
          tx.set(first, value + 1);
        });
      }
    },
    values: () => refs.map((ref) => ref.get()),
  };
}

function locking(count: number, control: "adaptive" | "pessimistic"): InUse {
  const space = new Space();
  const refs = Array.from({ length: count }, () => space.ref(0));
  const [first] = refs as [(typeof refs)[0]];
  const how = { control };
  return {
    async increments(tally) {
      for (; tally.goesOn(); tally.commits++) {
        await space.atomically(async (tx: LockingTransaction) => {
          void tx.set(first, (await tx.getForUpdate(first)) + 1);
        }, how);
      }
    },
    async transfers(tally, pairs) {
      for (; tally.goesOn(); tally.commits++) {
        const [from, to] = pairs.next();
        await space.atomically(async (tx: LockingTransaction) => {
          void tx.set(refs[from]!, (await tx.getForUpdate(refs[from]!)) - 1);
          void tx.set(refs[to]!, (await tx.getForUpdate(refs[to]!)) + 1);
        }, how);
      }
    },
    async slowIncrements(tally) {
      for (; tally.goesOn(); tally.commits++) {
        await space.atomically(async (tx: LockingTransaction) => {
          tally.calls++;
          const value = await tx.get(first);
          await settled;
          void tx.set(first, value + 1);
        }, how);
      }
    },
    values: () => refs.map((ref) => ref.get()),
  };
}

function workloads(open: (count: number) => InUse): Promise<Workloads> {
  /** Each commit adds one to the only ref. */
  const counted = async (many: number, task: (use: InUse, tally: Tally) => unknown) => {
    const use = open(1);
    const tally = await tallied(many, (all) => task(use, all));
    mustBe(tally.commits, use.values());
    return tally;
  };
  let callsPerCommit = NaN;
  return warm({
    increments: async () => (await counted(1, (use, tally) => use.increments(tally))).perSecond,
    ...(open(1).atOnce && {
      atOnce: async () => (await counted(1, (use, tally) => use.atOnce!(tally))).perSecond,
    }),
    async transfers() {
      const use = open(accounts);
      const { perSecond } = await tallied(1, (tally) => use.transfers(tally, new Pairs(accounts)));
      mustBe(0, use.values());
      return perSecond;
    },
    async hot() {
      const tally = await counted(tasks, (use, all) => use.slowIncrements(all));
      ({ callsPerCommit } = tally);
      return tally.perSecond;
    },
    hotCalls: () => callsPerCommit,
  });
}
