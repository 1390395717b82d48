import type { Timer } from "./clock.js";

/** Cancelled ones are cleared away when there are so many, and most are. */
const mostCancelled = 64;

class Alarm implements Timer {
  readonly dueAt: number;
  readonly order: number;
  /** Undefined once it has rung or was cancelled. */
  callback: (() => void) | undefined;
  readonly #alarms: Alarms;

  constructor(alarms: Alarms, dueAt: number, order: number, callback: () => void) {
    this.#alarms = alarms;
    this.dueAt = dueAt;
    this.order = order;
    this.callback = callback;
  }

  cancel(): void {
    if (this.callback === undefined) return;
    this.callback = undefined;
    this.#alarms.countCancelled();
  }
}

/** What is to be called at some moment: the earliest first, and of one moment the one that was set first. */
export class Alarms {
  /** A binary heap. A cancelled alarm stays in it until its turn comes, or most are cancelled. */
  #heap: Alarm[] = [];
  #order = 0;
  #cancelled = 0;

  set(dueAt: number, callback: () => void): Timer {
    const alarm = new Alarm(this, dueAt, this.#order++, callback);
    this.#heap.push(alarm);
    this.#rise(this.#heap.length - 1);
    return alarm;
  }

  /** When the next one is due; Infinity when there is none. */
  get nextDueAt(): number {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined) return Infinity;
      if (first.callback !== undefined) return first.dueAt;
      this.#removeFirst();
      this.#cancelled--;
    }
  }

  /** Takes the next one out, for the caller to call. */
  take(): (() => void) | undefined {
    if (this.nextDueAt === Infinity) return undefined;
    const first = this.#removeFirst();
    const { callback } = first;
    first.callback = undefined;
    return callback;
  }

  /** @internal */
  countCancelled(): void {
    this.#cancelled++;
    if (this.#cancelled <= mostCancelled || this.#cancelled * 2 <= this.#heap.length) return;
    // In order, an array is a heap.
    this.#heap = this.#heap.filter((alarm) => alarm.callback !== undefined).sort(compare);
    this.#cancelled = 0;
  }

  #removeFirst(): Alarm {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(index: number): void {
    const heap = this.#heap;
    const alarm = heap[index]!;
    while (index > 0) {
      const above = (index - 1) >>> 1;
      if (compare(alarm, heap[above]!) > 0) break;
      heap[index] = heap[above]!;
      index = above;
    }
    heap[index] = alarm;
  }

  #sink(): void {
    const heap = this.#heap;
    const alarm = heap[0]!;
    let index = 0;
    for (let below = 1; below < heap.length; below = 2 * index + 1) {
      if (below + 1 < heap.length && compare(heap[below + 1]!, heap[below]!) < 0) below++;
      if (compare(alarm, heap[below]!) < 0) break;
      heap[index] = heap[below]!;
      index = below;
    }
    heap[index] = alarm;
  }
}

function compare(a: Alarm, b: Alarm): number {
  return a.dueAt - b.dueAt || a.order - b.order;
}
