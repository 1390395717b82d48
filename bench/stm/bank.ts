// A bank, and transfers by a hundred tasks: what each way of keeping them apart costs, and what is lost
// without any. An account counts what was booked in it, so what is missing is known.
import { setTimeout as sleep } from "node:timers/promises";
import { Space, type Control, type LockingTransaction } from "lockstep/stm";
import { KeyedMutex, Mutex } from "lockstep/sync";
import type { Subjects, Workloads } from "../apart.js";
import { Pairs, tallied, type Pair } from "./tally.js";
import { warm, type Measured } from "./warm.js";

interface Account {
  readonly balance: number;
  readonly booked: number;
}

interface Bank {
  /** Reads two accounts, awaits something, and writes them. */
  readonly transfer: (pair: Pair) => Promise<unknown>;
  readonly accounts: () => readonly Account[];
}

type Io = () => Promise<unknown>;
type Open = (accounts: number, io: Io) => Bank;
/** Keeps those apart that want the same accounts. */
type Guard = (pair: Pair, section: () => Promise<void>) => Promise<unknown>;

const tasks = 100;
const settled = Promise.resolve();
const fresh: Account = { balance: 0, booked: 0 };

/** Few accounts are wanted by all, and of many each is wanted by few. */
export const sizes = [1_000, 2];

export const awaits: Record<string, Io> = { "a settled promise": () => settled, "1 ms": () => sleep(1) };

export const unprotected = "unprotected";

export const subjects: Subjects = {
  [unprotected]: () => workloads(byHand(() => (_pair, section) => section())),
  Mutex: () =>
    workloads(
      byHand(() => {
        const mutex = new Mutex();
        return (_pair, section) => mutex.run(section);
      }),
    ),
  KeyedMutex: () =>
    workloads(
      byHand(() => {
        const mutex = new KeyedMutex<number>();
        return (pair, section) => mutex.run(pair, section);
      }),
    ),
  optimistic: () => workloads(transactional("optimistic")),
  pessimistic: () => workloads(transactional("pessimistic")),
  adaptive: () => workloads(transactional("adaptive")),
};

function byHand(guard: () => Guard): Open {
  return (count, io) => {
    const guarded = guard();
    const accounts = new Array<Account>(count).fill(fresh);
    return {
      transfer: (pair) =>
        guarded(pair, async () => {
          const [from, to] = pair;
          const [payer, payee] = [accounts[from]!, accounts[to]!];
          await io();
          accounts[from] = book(payer, -1);
          accounts[to] = book(payee, 1);
        }),
      accounts: () => accounts,
    };
  };
}

function transactional(control: Control): Open {
  return (count, io) => {
    const space = new Space();
    const accounts = Array.from({ length: count }, () => space.ref(fresh));
    return {
      transfer([from, to]) {
        const transfer = async (tx: LockingTransaction) => {
          const payer = await tx.getForUpdate(accounts[from]!);
          const payee = await tx.getForUpdate(accounts[to]!);
          await io();
          void tx.set(accounts[from]!, book(payer, -1));
          void tx.set(accounts[to]!, book(payee, 1));
        };
        return space.atomically(transfer, { control });
      },
      accounts: () => accounts.map((account) => account.get()),
    };
  };
}

function book({ balance, booked }: Account, amount: number): Account {
  return { balance: balance + amount, booked: booked + 1 };
}

/** Microseconds of a transfer, and what part of all that was booked is lost. */
function workloads(open: Open): Promise<Workloads> {
  const all = Object.fromEntries(
    sizes.flatMap((size) =>
      Object.entries(awaits).flatMap(([awaited, io]): Measured[] => {
        let lost = NaN;
        const microseconds = async () => {
          const { transfer, accounts } = open(size, io);
          const pairs = new Pairs(size);
          const tally = await tallied(tasks, async (all) => {
            for (; all.goesOn(); all.commits++) await transfer(pairs.next());
          });
          const booked = accounts().reduce((sum, account) => sum + account.booked, 0);
          lost = 1 - booked / (2 * tally.commits);
          return 1e6 / tally.perSecond;
        };
        const name = `${size} accounts, ${awaited}`;
        return [
          [name, microseconds],
          [`lost, ${name}`, () => lost],
        ];
      }),
    ),
  );
  return warm(all);
}
