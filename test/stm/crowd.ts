// A crowd of transactions that lock in all sorts of orders, from a seed.
import { SeededRandom } from "lockstep/base";
import { Space, type LockingTransaction, type TransactionOptions } from "lockstep/stm";
import { turns } from "./turns.js";

export interface Row {
  readonly color: string;
  readonly count: number;
}

/** One thing that a block does: the same whenever it is run again. */
export type Step = (tx: LockingTransaction) => unknown;

export interface Task {
  readonly steps: readonly Step[];
  readonly options: TransactionOptions;
  /** How much it adds to the sum of all. */
  readonly adds: number;
  runs: number;
}

const colors = ["red", "green", "blue"];
const counted = 5;

export class Crowd {
  readonly random: SeededRandom;
  readonly space = new Space();
  readonly counters = Array.from({ length: 3 }, () => this.space.ref(0));
  readonly others = Array.from({ length: 2 }, () => this.space.ref(0));
  readonly table = this.space.table<number, Row, "color">({ indexes: { color: (row) => row.color } });
  readonly tasks: Task[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.space.atomicallySync((tx) => {
      for (let key = 0; key < counted; key++) tx.put(this.table, key, { color: this.#color(), count: 0 });
    });
  }

  /** All that was ever added. */
  get sum(): number {
    const rows = this.space.atomicallySync((tx) => tx.range(this.table, { to: counted }));
    return [...this.counters.map((ref) => ref.get()), ...rows.map(([, { count }]) => count)].reduce(
      (sum, count) => sum + count,
      0,
    );
  }

  /** A task of a few steps; of points only, if it must not look at ranges. */
  add(options: TransactionOptions, isOfPoints = false): void {
    const kinds = isOfPoints ? this.#points() : [...this.#points(), ...this.#ranges(), ...this.#together()];
    const steps: Step[] = [];
    let adds = 0;
    for (let left = 1 + this.random.below(5); left > 0; left--) {
      const kind = kinds[this.random.below(kinds.length)]!;
      const { step, add } = kind();
      steps.push(step, this.#pause());
      adds += add;
    }
    this.tasks.push({ steps, options, adds, runs: 0 });
  }

  /** Runs all at once; resolves with those that are still not done after so many turns of the event loop. */
  async run(mostTurns: number): Promise<Task[]> {
    const left = new Set(this.tasks);
    const all = this.tasks.map(async (task) => {
      await this.space.atomically(async (tx) => {
        task.runs++;
        for (const step of task.steps) await step(tx);
      }, task.options);
      left.delete(task);
    });
    let isOver = false;
    const whole = Promise.all(all).finally(() => (isOver = true));
    await Promise.race([whole, turns(mostTurns, () => isOver)]);
    return [...left];
  }

  #points(): (() => { step: Step; add: number })[] {
    const increment = () => {
      const ref = this.counters[this.random.below(this.counters.length)]!;
      return { step: (tx: LockingTransaction) => tx.update(ref, (value) => value + 1), add: 1 };
    };
    const readThenWrite = () => {
      const ref = this.counters[this.random.below(this.counters.length)]!;
      const step = async (tx: LockingTransaction) => {
        const value = await tx.get(ref);
        await Promise.resolve();
        await tx.set(ref, value + 1);
      };
      return { step, add: 1 };
    };
    const replaceRow = () => {
      const key = this.random.below(counted);
      const color = this.#color();
      const isForUpdate = this.random.chance(0.5);
      const step = async (tx: LockingTransaction) => {
        const row = await (isForUpdate ? tx.getForUpdate(this.table, key) : tx.get(this.table, key));
        await tx.put(this.table, key, { color, count: row!.count + 1 });
      };
      return { step, add: 1 };
    };
    const readRow = () => {
      const key = this.random.below(2 * counted);
      return { step: (tx: LockingTransaction) => tx.get(this.table, key), add: 0 };
    };
    return [increment, increment, readThenWrite, replaceRow, readRow];
  }

  #ranges(): (() => { step: Step; add: number })[] {
    const inRange = () => {
      const from = this.random.below(2 * counted);
      const range = { from, to: from + 1 + this.random.below(counted) };
      return { step: (tx: LockingTransaction) => tx.range(this.table, range), add: 0 };
    };
    const byColor = () => {
      const color = this.#color();
      return { step: (tx: LockingTransaction) => tx.by(this.table, "color", color), add: 0 };
    };
    const comeOrGo = () => {
      const key = counted + this.random.below(counted);
      const row = this.random.chance(0.3) ? undefined : { color: this.#color(), count: 0 };
      const step = (tx: LockingTransaction) =>
        row === undefined ? tx.delete(this.table, key) : tx.put(this.table, key, row);
      return { step, add: 0 };
    };
    return [inRange, byColor, comeOrGo];
  }

  /** What waits for several locks at once: writes not awaited, reads awaited together. */
  #together(): (() => { step: Step; add: number })[] {
    const unawaited = () => {
      const ref = this.others[this.random.below(this.others.length)]!;
      return { step: (tx: LockingTransaction) => void tx.set(ref, 1), add: 0 };
    };
    const both = () => {
      const kinds = [...this.#points(), ...this.#ranges()];
      const [one, two] = [0, 0].map(() => kinds[this.random.below(kinds.length)]!());
      // Two steps that add would each start from what was there before both.
      const steps = [one!, two!].filter(({ add }, at) => at === 0 || add === 0);
      const step = (tx: LockingTransaction) => Promise.all(steps.map(async (each) => each.step(tx)));
      return { step, add: one!.add };
    };
    return [unawaited, both, both];
  }

  #pause(): Step {
    const dice = this.random.next();
    if (dice < 0.3) return () => undefined;
    if (dice < 0.6) return () => Promise.resolve();
    return () => turns(1);
  }

  #color(): string {
    return colors[this.random.below(colors.length)]!;
  }
}
