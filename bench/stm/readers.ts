// One who adds up a hundred refs, an await after each, while others move what they hold from ref to ref.
import { Space, type ReadingTransaction } from "lockstep/stm";
import type { Subjects, Workloads } from "../apart.js";
import { loadTransactions } from "./effect-transactions.js";
import { Pairs } from "./tally.js";
import { warm, type Measured } from "./warm.js";

/** How many write at a time. */
export const writers = [0, 1, 10];

/** So many calls of one block, and it counts as starved. */
export const patience = 100;

const refCount = 100;
const readsWarm = 100;
const readsMeasured = 300;
const settled = Promise.resolve();

/** What the reader and the writers share. */
interface Reading {
  calls: number;
  isOver: boolean;
}

/** Refs that hold 0, as a user of the package would write them. */
interface InUse {
  /** Moves one from a ref to another, awaits something, and so on until the reading is over. */
  readonly write: (reading: Reading, pairs: Pairs) => Promise<unknown>;
  /** Adds all refs up in one transaction. */
  readonly sum: (reading: Reading) => Promise<unknown>;
}

export const subjects: Subjects = {
  lockstep: () => workloads(() => lockstep("only reads")),
  "lockstep, read-only": () => workloads(() => lockstep("says so")),
  "lockstep, and writes the sum": () => workloads(() => lockstep("writes the sum")),

  async Effect() {
    const { gen, runPromise, tx, pause, makeUnsafe, get, update } = await loadTransactions();
    return workloads(() => {
      const refs = Array.from({ length: refCount }, () => makeUnsafe(0));
      return {
        write: (reading, pairs) => {
          const transfer = tx(
            gen(function* () {
              const [from, to] = pairs.next();
              yield* update(refs[from]!, (value) => value - 1);
              yield* update(refs[to]!, (value) => value + 1);
            }),
          );
          return runPromise(
            gen(function* () {
              while (!reading.isOver) {
                yield* transfer;
                yield* pause;
              }
            }),
          );
        },
        sum: (reading) => {
          const sum = gen(function* () {
            if (++reading.calls > patience) reading.isOver = true;
            let all = 0;
            for (const ref of refs) {
              all += yield* get(ref);
              yield* pause;
            }
            return all;
          });
          return runPromise(tx(sum));
        },
      };
    });
  },
};

function lockstep(what: "only reads" | "says so" | "writes the sum"): InUse {
  const space = new Space();
  const refs = Array.from({ length: refCount }, () => space.ref(0));
  const written = space.ref(NaN);
  return {
    async write(reading, pairs) {
      while (!reading.isOver) {
        const [from, to] = pairs.next();
        await space.atomically((tx) => {
          tx.set(refs[from]!, tx.get(refs[from]!) - 1);
          tx.set(refs[to]!, tx.get(refs[to]!) + 1);
        });
        await settled;
      }
    },
    sum: (reading) => {
      const sum = async (tx: ReadingTransaction) => {
        if (++reading.calls > patience) reading.isOver = true;
        let all = 0;
        for (const ref of refs) {
          all += tx.get(ref);
          await settled;
        }
        return all;
      };
      if (what === "only reads") return space.atomically(sum);
      if (what === "says so") return space.atomically(sum, { readOnly: true });
      return space.atomically(async (tx) => {
        const all = await sum(tx);
        tx.set(written, all);
        return all;
      });
    },
  };
}

/** How many refs are read in a second, and the most calls that one transaction took. */
function workloads(open: () => InUse): Promise<Workloads> {
  const all = Object.fromEntries(
    writers.flatMap((count): Measured[] => {
      let mostCalls = NaN;
      const reads = async () => {
        const result = await readBeside(count, open());
        ({ mostCalls } = result);
        return result.perSecond;
      };
      return [
        [`reads, ${count}`, reads],
        [`calls, ${count}`, () => mostCalls],
      ];
    }),
  );
  return warm(all);
}

async function readBeside(count: number, { write, sum }: InUse) {
  const reading = { calls: 0, isOver: false };
  const pairs = new Pairs(refCount);
  const writing = Array.from({ length: count }, () => write(reading, pairs));
  let mostCalls = 0;
  let began = NaN;
  for (let read = -readsWarm; read < readsMeasured && !reading.isOver; read++) {
    if (read === 0) began = performance.now();
    reading.calls = 0;
    if ((await sum(reading)) !== 0) throw new Error("the reader saw half a transfer");
    mostCalls = Math.max(mostCalls, reading.calls);
  }
  const seconds = (performance.now() - began) / 1000;
  const perSecond = reading.isOver ? 0 : (readsMeasured * refCount) / seconds;
  reading.isOver = true;
  await Promise.all(writing);
  return { perSecond, mostCalls };
}
