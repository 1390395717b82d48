import { Configuration, none } from "./configuration.js";
import { overwrites, type Part } from "./part.js";
import { Visited } from "./visited.js";

/**
 * Looks for an order by going past one answer after the other with all the configurations that are possible
 * there. It takes little room, and does not go far into what a wrong turn at the beginning has spoilt; `Part`
 * says what it need not try.
 */
export class BreadthFirst<State> {
  readonly #part: Part<State>;
  readonly #now: Configuration<State>;
  /** Of this answer. */
  readonly #visited: Visited;
  /** The operations that were called before this answer and have not returned before it. */
  #open: number[] = [];
  /** Of them, those from here on are in the window for the first time. */
  #firstNew = 0;
  #answers = 0;
  /** The configurations that have just come past the last answer. */
  #arriving: Queue;
  /** Those that are to be gone on from. */
  #waiting: Queue;
  /** Those that are past this answer. */
  #past: Queue;
  #verdict: boolean | undefined;

  constructor(part: Part<State>) {
    this.#part = part;
    this.#now = new Configuration(part);
    this.#visited = new Visited(part.timeline.words);
    const { size } = this.#now;
    this.#arriving = new Queue(size);
    this.#waiting = new Queue(size);
    this.#past = new Queue(size);
    this.#now.save(this.#past.push(), this.#past.last);
    this.#answers = none;
    this.#nextAnswer();
  }

  /** How many answers lie behind. */
  get furthest(): number {
    return this.#answers;
  }

  /** How many configurations it keeps in mind. */
  get size(): number {
    return this.#visited.size + this.#arriving.length + this.#past.length;
  }

  /** Goes on for about so many steps. Whether there is an order; undefined if it is not known yet. */
  run(steps: number): boolean | undefined {
    const now = this.#now;
    const end = now.steps + steps;
    while (this.#verdict === undefined && now.steps < end) {
      // Not all the work is steps.
      now.steps++;
      if (this.#arriving.isLeft) {
        now.load(this.#arriving.records, this.#arriving.shift());
        this.#arrive(this.#firstNew);
      } else if (this.#waiting.isLeft) {
        this.#goOn(this.#waiting.shift());
      } else {
        this.#nextAnswer();
      }
    }
    return this.#verdict;
  }

  #goOn(from: number): void {
    const now = this.#now;
    const { effects } = this.#part;
    now.load(this.#waiting.records, from);
    for (const operation of this.#open) {
      if (now.isUsed(operation)) continue;
      const after = now.after(operation);
      if (after === none) continue;
      now.use(operation, after);
      if (effects[operation] === overwrites) {
        for (const open of this.#open) now.settleOverwritten(open);
      }
      this.#arrive(0);
      now.load(this.#waiting.records, from);
    }
  }

  /** Settles what changes nothing, of the open ones from the given place on, and sees where that leads. */
  #arrive(firstOpen: number): void {
    const now = this.#now;
    for (let index = firstOpen; index < this.#open.length; index++) now.settle(this.#open[index]!);
    const isNew = now.mustPass || !this.#visited.has(0, now.state, now.settled, now.used);
    if (!isNew) return;
    if (!now.mustPass) now.save(this.#waiting.push(), this.#waiting.last);
    if (!now.mayPass) return;
    now.pass();
    now.save(this.#past.push(), this.#past.last);
  }

  #nextAnswer(): void {
    if (this.#past.length === 0) {
      this.#verdict = false;
      return;
    }
    const { byReturn, calledBefore } = this.#part.timeline;
    const returned = byReturn[this.#answers];
    if (++this.#answers === byReturn.length) {
      this.#verdict = true;
      return;
    }
    if (returned !== undefined) this.#open.splice(this.#open.indexOf(returned), 1);
    this.#firstNew = this.#open.length;
    const called = this.#answers === 0 ? 0 : calledBefore[this.#answers - 1]!;
    for (let operation = called; operation < calledBefore[this.#answers]!; operation++) {
      this.#open.push(operation);
    }
    this.#visited.clear();
    this.#waiting.clear();
    this.#arriving.clear();
    [this.#arriving, this.#past] = [this.#past, this.#arriving];
  }
}

/** Records of one size, first come, first served; those that were served stay until it is cleared. */
class Queue {
  readonly #size: number;
  records = new Int32Array(0);
  length = 0;
  /** Where the record stands that was pushed last. */
  last = 0;
  #served = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get isLeft(): boolean {
    return this.#served < this.length;
  }

  /** Makes place for a record, at `last` of what it gives. */
  push(): Int32Array {
    this.last = this.length++ * this.#size;
    if (this.last + this.#size > this.records.length) {
      const larger = new Int32Array(Math.max(16 * this.#size, this.records.length * 2));
      larger.set(this.records);
      this.records = larger;
    }
    return this.records;
  }

  /** Where the record stands that was pushed first of those that are left. */
  shift(): number {
    return this.#served++ * this.#size;
  }

  clear(): void {
    this.length = 0;
    this.#served = 0;
  }
}
