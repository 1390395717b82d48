import { CallList } from "./call-list.js";
import { Configuration, none } from "./configuration.js";
import type { Part } from "./part.js";
import type { Visited } from "./visited.js";

/** What is tried before any other: to let the next answer come, or the operation that waits for it. */
const mostUrgent = -2;

/**
 * Looks for an order by going on as far as one can, and one step back where one cannot. It finds an order
 * quickly where there are many; `Part` says what it need not try.
 *
 * What may be used next is in a linked list in the order of calls. What was used, or whose answer has come,
 * is unlinked and written to the log, by which it is undone.
 */
export class DepthFirst<State> {
  readonly #part: Part<State>;
  readonly #now: Configuration<State>;
  readonly #visited: Visited;
  readonly #list: CallList;
  /** The operations that were unlinked; `~operation` for those that were settled and not used. */
  readonly #log: Int32Array;
  #logged = 0;
  /** The configurations that lead here; of each, also the length of the log and what is to be tried next. */
  #frames = new Int32Array(0);
  #depth = 0;
  readonly #frameSize: number;
  #verdict: boolean | undefined;
  /** The log of the furthest configuration, and how much of it is the same as the log now. */
  readonly #best: Int32Array;
  #bestAnswers = none;
  #bestLogged = 0;
  #isBestKept = true;
  #sameAsBest = 0;

  constructor(part: Part<State>) {
    this.#part = part;
    const count = part.timeline.operations.length;
    this.#visited = Configuration.visited(part);
    this.#list = new CallList(count);
    this.#now = new Configuration(part, this.#list);
    this.#log = new Int32Array(count);
    this.#best = new Int32Array(count);
    this.#frameSize = this.#now.size + 2;
    this.#settle();
    if (this.#now.isComplete) this.#verdict = true;
    else this.#enter();
  }

  /** How many answers the furthest configuration has behind it. */
  get furthest(): number {
    return Math.max(0, this.#bestAnswers);
  }

  /** How much it keeps in mind, in words of 32 bits. */
  get words(): number {
    return this.#visited.words + this.#depth * this.#frameSize;
  }

  /** The log of the furthest configuration: operations in order, `~operation` for those not used. */
  get best(): Int32Array {
    this.#keepBest();
    return this.#best.subarray(0, this.#bestLogged);
  }

  /** Goes on with about so much effort. Whether there is an order; undefined if it is not known yet. */
  run(effort: number): boolean | undefined {
    const { transitions } = this.#part;
    const end = transitions.effort + effort;
    while (this.#verdict === undefined && transitions.effort < end) this.#goOn();
    return this.#verdict;
  }

  /** Tries what is the next to try here; where there is none, it goes one step back. */
  #goOn(): void {
    const now = this.#now;
    const { urgent, end } = now;
    const tryNext = this.#depth * this.#frameSize - 1;
    let cursor = this.#frames[tryNext]!;
    if (cursor === mostUrgent && now.mayPass) {
      this.#frames[tryNext] = this.#list.first;
      this.#arrive(this.#pass());
      return;
    }
    for (;;) {
      const operation = cursor === mostUrgent ? urgent : cursor;
      if (operation >= end) break;
      const isAgain = operation === urgent && cursor !== mostUrgent && !now.mayPass;
      cursor = cursor === mostUrgent ? this.#list.first : this.#list.next[cursor]!;
      const after = isAgain ? none : now.after(operation);
      if (after === none) continue;
      this.#frames[tryNext] = cursor;
      this.#unlink(operation, operation);
      this.#arrive(now.use(operation, after));
      return;
    }
    this.#leave();
  }

  #pass(): boolean {
    const { urgent } = this.#now;
    if (!this.#now.isUsed(urgent)) this.#unlink(urgent, ~urgent);
    return this.#now.pass();
  }

  /** Goes on from where it is now, if there is hope and it was not there before. */
  #arrive(isHopeful: boolean): void {
    const now = this.#now;
    if (isHopeful) this.#settle();
    if (!isHopeful) this.#restore();
    else if (now.isComplete) this.#verdict = true;
    else if (now.isIn(this.#visited)) this.#restore();
    else this.#enter();
  }

  /** Settles what changes nothing now, and goes past the answers that must come, which widens the window. */
  #settle(): void {
    const now = this.#now;
    let cursor = this.#list.first;
    for (;;) {
      while (!now.isComplete && now.mustPass) this.#pass();
      if (now.isComplete) return;
      const { end } = now;
      for (; cursor < end; cursor = this.#list.next[cursor]!) {
        // One whose answer lies behind may be where the cursor stood.
        if (!now.isBehind(cursor) && now.settle(cursor)) this.#unlink(cursor, cursor);
      }
      if (!now.mustPass) return;
    }
  }

  /** Writes down where it is, to come back. */
  #enter(): void {
    const now = this.#now;
    const at = this.#depth++ * this.#frameSize;
    if (at + this.#frameSize > this.#frames.length) {
      const larger = new Int32Array(Math.max(16 * this.#frameSize, this.#frames.length * 2));
      larger.set(this.#frames);
      this.#frames = larger;
    }
    now.save(this.#frames, at);
    this.#frames[at + now.size] = this.#logged;
    this.#frames[at + now.size + 1] = mostUrgent;
    const isFurther =
      now.answers > this.#bestAnswers ||
      (now.answers === this.#bestAnswers && this.#logged > this.#bestLogged);
    if (isFurther) {
      this.#bestAnswers = now.answers;
      this.#bestLogged = this.#logged;
      this.#isBestKept = false;
    }
  }

  #leave(): void {
    this.#depth--;
    if (this.#depth === 0) this.#verdict = false;
    else this.#restore();
  }

  /** Makes all as it was where it entered last. */
  #restore(): void {
    const at = (this.#depth - 1) * this.#frameSize;
    this.#keepBest();
    this.#now.load(this.#frames, at);
    const logged = this.#frames[at + this.#now.size]!;
    while (this.#logged > logged) this.#undo();
    this.#sameAsBest = Math.min(this.#sameAsBest, logged);
  }

  /** Copies only what is not the same already, so that it takes no longer than the search itself. */
  #keepBest(): void {
    if (this.#isBestKept) return;
    this.#best.set(this.#log.subarray(this.#sameAsBest, this.#bestLogged), this.#sameAsBest);
    this.#sameAsBest = this.#bestLogged;
    this.#isBestKept = true;
  }

  #unlink(operation: number, entry: number): void {
    this.#list.unlink(operation);
    this.#log[this.#logged++] = entry;
  }

  #undo(): void {
    const entry = this.#log[--this.#logged]!;
    this.#list.relink(entry < 0 ? ~entry : entry);
  }
}
