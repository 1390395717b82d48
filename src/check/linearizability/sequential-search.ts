import type { Operation } from "../history.js";
import type { Model } from "../model.js";
import { ClientWindows } from "./client-windows.js";
import type { KeyPart } from "./key-parts.js";
import { readsOnly, tellingOperations } from "./part.js";
import { roomFor } from "./room.js";
import { impossible, Transitions } from "./transitions.js";
import { Visited } from "./visited.js";

const nothing = new Int32Array(0);

/** A configuration, the operations to be tried there, how many of them were, and how long the order was. */
interface Frame {
  readonly now: Int32Array;
  readonly next: Int32Array;
  tried: number;
  readonly length: number;
}

/** So many words a frame takes beside its integers. */
const wordsOfFrame = 64;

/**
 * Looks for one order of the operations of several parts that agrees with each client's own, depth first, and
 * never twice from the same configuration: how far each client is, and the state of each part. What only
 * reads is used as soon as it may be: it stands in nobody's way there. What was called first is tried first,
 * as the order that is looked for is often not far from that of real time.
 */
export class SequentialSearch<State> {
  readonly operations: readonly Operation[] = [];
  readonly transitions: Transitions<State>;
  readonly #effects: Uint8Array;
  /** Of each operation, where in a configuration the state of its part stands. */
  readonly #stateAt: Int32Array;
  readonly #windows: ClientWindows;
  readonly #visited: Visited;
  readonly #now: Int32Array;
  /** The configurations that lead here. */
  readonly #frames: Frame[] = [];
  readonly #order: number[] = [];
  /** How many words the frames take. */
  #words = 0;
  /** What it came to last is looked at: reads are used first. */
  #isArriving = true;
  #verdict: boolean | undefined;
  /** The longest order that could not be gone on with, and where it leads. */
  best: readonly number[] = [];
  bestNow: Int32Array;

  constructor(parts: readonly KeyPart[], model: Model<State>) {
    const telling = parts.flatMap((part, index) =>
      tellingOperations(part.operations, model).map((each) => ({ ...each, part: index })),
    );
    telling.sort((a, b) => a.operation.invoked - b.operation.invoked);
    this.operations = telling.map(({ operation }) => operation);
    this.transitions = new Transitions(model, this.operations);
    this.#effects = Uint8Array.from(telling, ({ effect }) => effect);
    this.#windows = new ClientWindows(this.operations);
    this.#stateAt = Int32Array.from(telling, ({ part }) => this.#windows.size + part);
    this.#now = new Int32Array(this.#windows.size + parts.length);
    this.bestNow = this.#now.slice();
    this.#visited = new Visited(this.#now.length, 0);
  }

  /** There is no room to go on. */
  get isFull(): boolean {
    const words = this.transitions.words + this.#visited.words + this.#words;
    return words > roomFor(this.operations.length);
  }

  /** How many operations it got past. */
  get furthest(): number {
    return Math.max(this.#order.length, this.best.length);
  }

  /** Goes on with about so much effort. Whether there is an order; undefined if it is not known yet. */
  run(effort: number): boolean | undefined {
    const { transitions } = this;
    const end = transitions.effort + effort;
    while (this.#verdict === undefined && transitions.effort < end) {
      transitions.effort += this.#now.length;
      if (!this.#isArriving) this.#goOn();
      else if (!this.#useReads()) this.#arrive();
    }
    return this.#verdict;
  }

  /** What may be next in a configuration, and the state after it, or `impossible`. */
  *next(now: Int32Array): IterableIterator<{ place: number; state: number; after: number }> {
    const { looked } = this.#windows;
    for (const place of this.#windows.open(now)) {
      const state = now[this.#stateAt[place]!]!;
      yield { place, state, after: this.transitions.step(state, place) };
    }
    this.transitions.effort += this.#windows.looked - looked;
  }

  /** Tries what is the next to try here; where there is none, it goes one step back. */
  #goOn(): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) {
      this.#verdict = false;
    } else if (frame.tried === frame.next.length) {
      this.#frames.pop();
      this.#words -= wordsOf(frame);
    } else {
      this.#now.set(frame.now);
      this.#order.length = frame.length;
      this.#use(frame.next[frame.tried++]!);
      this.#isArriving = true;
    }
  }

  #use(place: number): void {
    const at = this.#stateAt[place]!;
    this.#now[at] = this.transitions.step(this.#now[at]!, place);
    this.#windows.use(place, this.#now);
    this.#order.push(place);
  }

  #arrive(): void {
    this.#isArriving = false;
    if (this.#windows.isComplete(this.#now)) {
      this.#verdict = true;
      return;
    }
    const isNew = !this.#visited.has(this.#now, nothing);
    const next = isNew ? this.#promising() : nothing;
    if (next.length > 0) {
      const frame = { now: this.#now.slice(), next, tried: 0, length: this.#order.length };
      this.#frames.push(frame);
      this.#words += wordsOf(frame);
    } else if (this.#order.length > this.best.length) {
      this.transitions.effort += this.#order.length;
      this.best = this.#order.slice();
      this.bestNow = this.#now.slice();
    }
  }

  /** What is worth trying, in the order of calls. */
  #promising(): Int32Array {
    const places: number[] = [];
    for (const { place, state, after } of this.next(this.#now)) {
      // It need not take effect, so it does only for a purpose.
      const isIdle = after === state && this.operations[place]!.outcome === "unknown";
      if (after !== impossible && !isIdle) places.push(place);
    }
    return Int32Array.from(places).sort();
  }

  #useReads(): boolean {
    const reads = [...this.next(this.#now)].filter(
      ({ place, state, after }) => this.#effects[place] === readsOnly && after === state,
    );
    for (const { place } of reads) this.#use(place);
    return reads.length > 0;
  }
}

function wordsOf({ now, next }: Frame): number {
  return wordsOfFrame + now.length + next.length;
}
