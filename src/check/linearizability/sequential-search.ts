import type { Operation } from "../history.js";
import type { Model } from "../model.js";
import { ClientWindows } from "./client-windows.js";
import type { KeyPart } from "./key-parts.js";
import { readsOnly, tellingOperations } from "./part.js";
import { impossible, Transitions } from "./transitions.js";
import { Visited } from "./visited.js";

const nothing = new Int32Array(0);
/** So many states, and integers that tell configurations, are kept in mind, and no more. */
const mostStates = 2 ** 18;
const mostKept = 2 ** 26;

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
  /** The configurations that lead here, what is left to be tried there, and how long the order was. */
  readonly #frames: { readonly now: Int32Array; readonly left: number[]; readonly length: number }[] = [];
  readonly #order: number[] = [];
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
    this.#arrive();
  }

  /** There is no room to go on. */
  get isFull(): boolean {
    const isCrowded = this.transitions.size > mostStates + this.operations.length;
    return isCrowded || this.#visited.size * this.#now.length > mostKept;
  }

  /** Goes on for so many configurations. Whether there is an order; undefined if it is not known yet. */
  run(configurations: number): boolean | undefined {
    for (let left = configurations; left > 0 && this.#verdict === undefined; left--) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) {
        this.#verdict = false;
      } else {
        this.#now.set(frame.now);
        this.#order.length = frame.length;
        const place = frame.left.pop();
        if (place === undefined) this.#frames.pop();
        else {
          this.#use(place);
          this.#arrive();
        }
      }
    }
    return this.#verdict;
  }

  /** What may be next in a configuration, and the state after it, or `impossible`. */
  *next(now: Int32Array): IterableIterator<{ place: number; state: number; after: number }> {
    for (const place of this.#windows.open(now)) {
      const state = now[this.#stateAt[place]!]!;
      yield { place, state, after: this.transitions.step(state, place) };
    }
  }

  #use(place: number): void {
    const at = this.#stateAt[place]!;
    this.#now[at] = this.transitions.step(this.#now[at]!, place);
    this.#windows.use(place, this.#now);
    this.#order.push(place);
  }

  #arrive(): void {
    while (this.#useReads());
    if (this.#windows.isComplete(this.#now)) {
      this.#verdict = true;
    } else if (!this.#visited.has(this.#now, nothing)) {
      const left: number[] = [];
      for (const { place, state, after } of this.next(this.#now)) {
        // It need not take effect, so it does only for a purpose.
        const isIdle = after === state && this.operations[place]!.outcome === "unknown";
        if (after !== impossible && !isIdle) left.push(place);
      }
      left.sort((a, b) => b - a);
      this.#frames.push({ now: this.#now.slice(), left, length: this.#order.length });
    }
    if (this.#order.length >= this.best.length) {
      this.best = this.#order.slice();
      this.bestNow = this.#now.slice();
    }
  }

  #useReads(): boolean {
    const reads = [...this.next(this.#now)].filter(
      ({ place, state, after }) => this.#effects[place] === readsOnly && after === state,
    );
    for (const { place } of reads) this.#use(place);
    return reads.length > 0;
  }
}
