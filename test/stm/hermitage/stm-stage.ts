import { setImmediate as turn } from "node:timers/promises";
import { isLockstepError } from "lockstep/base";
import { Space, type LockingTransaction, type TransactionOptions } from "lockstep/stm";
import { Channel } from "lockstep/sync";
import { perform, type Access } from "./perform.js";
import { Aborted, type Stage, type Transaction } from "./play.js";
import type { Rows, Step } from "./script.js";

/** What is asked of each transaction of a script. */
type Promised = Pick<TransactionOptions, "isolation" | "control" | "order">;
/** What the block of a transaction is to do next, and who wants to know what it sees. */
interface Order {
  readonly step: Step;
  readonly answer: (rows: Rows) => void;
}

/** Plays one script in memory. */
export class StmStage implements Stage {
  readonly space = new Space();
  readonly table = this.space.table<number, { value: number }>();
  readonly #promised: Promised;

  constructor(promised: Promised) {
    this.#promised = promised;
    this.space.atomicallySync((tx) => {
      tx.put(this.table, 1, { value: 10 });
      tx.put(this.table, 2, { value: 20 });
    });
  }

  /** One on whose rows adaptive transactions were in each other's way, so that the next ones take turns. */
  static async hot(promised: Promised): Promise<StmStage> {
    const stage = new StmStage(promised);
    const touch = async (key: number) =>
      stage.space.atomically(
        async (tx) => {
          const row = await tx.get(stage.table, key);
          await turn();
          await tx.put(stage.table, key, { value: row!.value });
        },
        { control: "adaptive" },
      );
    for (const key of [1, 2]) await Promise.all([touch(key), touch(key)]);
    return stage;
  }

  begin(readOnly: boolean): Transaction {
    return new StmTransaction(this, this.#promised, readOnly);
  }

  /** Nothing here waits for time to pass; so what is not done after some turns waits for others. */
  async settled(): Promise<void> {
    for (let turns = 0; turns < 3; turns++) await turn();
  }

  rows(): Promise<Rows> {
    return this.space.atomically((tx) => rowsOf(tx.range(this.table)));
  }
}

/** One call of `atomically`, whose block does what it is told, step by step. */
class StmTransaction implements Transaction {
  readonly #orders = new Channel<Order>({ capacity: Infinity });
  readonly #end: Promise<void>;
  readonly #table: StmStage["table"];

  constructor({ space, table }: StmStage, promised: Promised, readOnly: boolean) {
    this.#table = table;
    const block = async (tx: LockingTransaction) => {
      for await (const { step, answer } of this.#orders) {
        answer(await perform(step, this.#access(tx)));
      }
    };
    // A conflict is the end of it, as it is in a database.
    this.#end = space.atomically(block, { ...promised, readOnly, attempts: 1 });
  }

  run(step: Step): Promise<Rows> {
    const wanted = new Rollback();
    return new Promise<Rows>((resolve, reject) => {
      this.#end.then(
        () => resolve([]),
        (error: unknown) => {
          if (error === wanted) resolve([]);
          else reject(isLockstepError(error, "retries-exhausted") ? new Aborted() : error);
        },
      );
      if (step.verb === "commit") this.#orders.close();
      else if (step.verb === "abort") this.#orders.fail(wanted);
      else void this.#orders.send({ step, answer: resolve });
    });
  }

  #access(tx: LockingTransaction): Access {
    const table = this.#table;
    return {
      get: async (key, isForUpdate) =>
        (await (isForUpdate ? tx.getForUpdate(table, key) : tx.get(table, key)))?.value,
      where: async (accepts) => rowsOf(await tx.where(table, ({ value }) => accepts(value))),
      put: async (key, value) => tx.put(table, key, { value }),
      delete: async (key) => tx.delete(table, key),
    };
  }
}

function rowsOf(rows: readonly [key: number, row: { readonly value: number }][]): Rows {
  return rows.map(([key, { value }]) => [key, value]);
}

class Rollback extends Error {}
