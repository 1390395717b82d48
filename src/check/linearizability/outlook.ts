import type { Model } from "../model.js";
import type { Timeline } from "./timeline.js";
import type { Transitions } from "./transitions.js";

const none = -1;

/**
 * Which values of a register will still be read, and which can still be written. Values are numbered as the
 * states are: what a register holds is its state.
 */
export class Outlook {
  /** What each operation must have read, or -1. */
  readonly reads: Int32Array;
  /** What each operation writes, or may write, or -1. */
  readonly writes: Int32Array;
  readonly #timeline: Timeline;
  /** Of each value the operations in the order of their calls. */
  readonly #readers: readonly (readonly number[] | undefined)[];
  readonly #writers: readonly (readonly number[] | undefined)[];
  /** Of each operation that reads, the earliest answer among those that read the same and came no earlier. */
  readonly #earliest: Int32Array;

  private constructor(reads: Int32Array, writes: Int32Array, timeline: Timeline) {
    this.reads = reads;
    this.writes = writes;
    this.#timeline = timeline;
    this.#readers = byValue(reads);
    this.#writers = byValue(writes);
    this.#earliest = timeline.rank.slice();
    for (const readers of this.#readers) {
      let earliest = timeline.answers;
      for (const reader of readers?.toReversed() ?? []) {
        earliest = Math.min(earliest, timeline.rank[reader]!);
        this.#earliest[reader] = earliest;
      }
    }
  }

  /** Undefined if the model does not say of each operation what it reads and writes. */
  static of<State>(
    model: Model<State>,
    timeline: Timeline,
    transitions: Transitions<State>,
  ): Outlook | undefined {
    const { operations } = timeline;
    const reads = new Int32Array(operations.length).fill(none);
    const writes = new Int32Array(operations.length).fill(none);
    for (const [place, operation] of operations.entries()) {
      const access = model.access?.(operation);
      if (!access) return undefined;
      const { read, write } = access;
      if (read && operation.outcome === "ok") reads[place] = transitions.numberOf(read.value as State);
      if (write) writes[place] = transitions.numberOf(write.value as State);
    }
    return new Outlook(reads, writes, timeline);
  }

  /** The earliest answer among reads of the value that are not called yet; or the number of all answers. */
  nextRead(value: number, called: number): number {
    const reader = firstFrom(this.#readers[value], called);
    return reader === undefined ? this.#timeline.answers : this.#earliest[reader]!;
  }

  /** Whether a write of the value is called from there on, and before that answer. */
  isWrittenBefore(answer: number, value: number, called: number): boolean {
    const writer = firstFrom(this.#writers[value], called);
    return writer !== undefined && writer < this.#timeline.calledBefore[answer]!;
  }
}

function byValue(values: Int32Array): (number[] | undefined)[] {
  const places: (number[] | undefined)[] = [];
  for (const [place, value] of values.entries()) {
    if (value !== none) (places[value] ??= []).push(place);
  }
  return places;
}

function firstFrom(places: readonly number[] | undefined, least: number): number | undefined {
  let low = 0;
  let high = places?.length ?? 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places![middle]! < least) low = middle + 1;
    else high = middle;
  }
  return places?.[low];
}
