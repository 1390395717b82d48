import { CallList } from "./call-list.js";
import { Configuration, none } from "./configuration.js";
import type { Part } from "./part.js";
import type { Visited } from "./visited.js";

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
  /** The operations that have not returned before this answer. */
  readonly #list: CallList;
  /** Those from here on are in the window for the first time. */
  #firstNew = 0;
  #answers = 0;
  /** The configurations that have just come past the last answer. */
  #arriving: Queue;
  /** Those that are to be gone on from. */
  #waiting: Queue;
  /** The one that is being gone on from, and what is to be tried next there, or `none`. */
  #from = 0;
  #cursor = none;
  /** Those that are past this answer. */
  #past: Queue;
  #verdict: boolean | undefined;

  constructor(part: Part<State>) {
    this.#part = part;
    this.#list = new CallList(part.timeline.operations.length);
    this.#now = new Configuration(part, this.#list);
    this.#visited = Configuration.visited(part);
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

  /** How much it keeps in mind, in words of 32 bits. */
  get words(): number {
    return this.#visited.words + this.#arriving.words + this.#waiting.words + this.#past.words;
  }

  /** Goes on with about so much effort. Whether there is an order; undefined if it is not known yet. */
  run(effort: number): boolean | undefined {
    const now = this.#now;
    const { transitions } = this.#part;
    const end = transitions.effort + effort;
    while (this.#verdict === undefined && transitions.effort < end) {
      transitions.effort++;
      if (this.#arriving.isLeft) {
        now.load(this.#arriving.records, this.#arriving.shift());
        this.#arrive(this.#firstNew);
      } else if (this.#cursor !== none) {
        this.#goOn();
      } else if (this.#waiting.isLeft) {
        this.#from = this.#waiting.shift();
        this.#cursor = this.#list.first;
      } else {
        this.#nextAnswer();
      }
    }
    return this.#verdict;
  }

  /** Tries the next operation that it may try. */
  #goOn(): void {
    const now = this.#now;
    now.load(this.#waiting.records, this.#from);
    const { end } = now;
    for (let operation = this.#cursor; operation < end; operation = this.#list.next[operation]!) {
      if (now.isUsed(operation)) continue;
      const after = now.after(operation);
      if (after === none) continue;
      this.#cursor = this.#list.next[operation]!;
      if (now.use(operation, after)) this.#arrive(0);
      return;
    }
    this.#cursor = none;
  }

  /** Settles what changes nothing, of what was called from there on, and sees where that leads. */
  #arrive(called: number): void {
    const now = this.#now;
    const { end } = now;
    for (let open = this.#list.first; open < end; open = this.#list.next[open]!) {
      if (open >= called) now.settle(open);
    }
    const isNew = now.mustPass || !now.isIn(this.#visited);
    if (!isNew) return;
    if (!now.mustPass) now.save(this.#waiting.push(), this.#waiting.last);
    if (!now.mayPass) return;
    if (now.pass()) now.save(this.#past.push(), this.#past.last);
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
    if (returned !== undefined) this.#list.unlink(returned);
    this.#firstNew = calledBefore[this.#answers - 1] ?? 0;
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

  get words(): number {
    return this.length * this.#size;
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
