import type { Clock, Timer } from "../base/clock.js";

/** A resource of a pool. */
export class Pooled<T> {
  readonly resource: T;
  /** When it has lain on the shelf for too long. */
  idleUntil = 0;

  constructor(resource: T) {
    this.resource = resource;
  }
}

/**
 * The resources that nobody uses. The one that came back last is taken first, so that in quiet times the
 * others are not touched and their time runs out. They lie in the order in which they came, so one timer, set
 * for the oldest, is enough for all; and as it is set anew only when it has fired, it costs a loan nothing.
 */
export class PoolShelf<T> {
  readonly #clock: Clock;
  readonly #idleTimeoutMs: number | undefined;
  readonly #surplus: () => number;
  readonly #onExpired: (expired: readonly Pooled<T>[]) => void;
  #all: Pooled<T>[] = [];
  #timer: Timer | undefined;

  /** `surplus` says how many resources the pool has beyond those that it keeps in any case. */
  constructor(
    clock: Clock,
    idleTimeoutMs: number | undefined,
    surplus: () => number,
    onExpired: (expired: readonly Pooled<T>[]) => void,
  ) {
    this.#clock = clock;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#surplus = surplus;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#all.length;
  }

  put(pooled: Pooled<T>): void {
    this.#all.push(pooled);
    if (this.#idleTimeoutMs === undefined) return;
    pooled.idleUntil = this.#clock.now() + this.#idleTimeoutMs;
    this.#setTimer();
  }

  take(): Pooled<T> | undefined {
    return this.#all.pop();
  }

  /** Takes all there are, and ends the timer. */
  clear(): readonly Pooled<T>[] {
    this.#timer?.cancel();
    this.#timer = undefined;
    const all = this.#all;
    this.#all = [];
    return all;
  }

  #setTimer(): void {
    const oldest = this.#all[0];
    if (this.#timer !== undefined || oldest === undefined || this.#surplus() <= 0) return;
    const onTime = () => {
      this.#timer = undefined;
      const expired = this.#takeExpired();
      this.#setTimer();
      if (expired.length > 0) this.#onExpired(expired);
    };
    // What is idle is no reason for a process to live on.
    this.#timer = this.#clock.after(oldest.idleUntil - this.#clock.now(), onTime, "background");
  }

  #takeExpired(): readonly Pooled<T>[] {
    const now = this.#clock.now();
    const most = Math.min(this.#surplus(), this.#all.length);
    let count = 0;
    while (count < most && this.#all[count]!.idleUntil <= now) count++;
    return this.#all.splice(0, count);
  }
}
