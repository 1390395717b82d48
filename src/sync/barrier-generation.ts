import type { Clock } from "../base/clock.js";
import type { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { WaitQueue } from "./wait-queue.js";

/** What one is told who has waited at a barrier. */
export interface Trip {
  /** Counts up with each trip and each reset; the first is 0. */
  readonly generation: number;
  /** True for exactly one of those who waited together. */
  readonly isLeader: boolean;
}

/** Those who arrive together at a barrier: they go on, or fail, as one. */
export class Generation {
  readonly number: number;
  arrived = 0;
  /** Those who wait for each other. */
  readonly together: WaitQueue<Trip>;
  /** Those who arrived without waiting, and look later. */
  readonly afterwards: WaitQueue<void>;
  #hasTripped = false;
  #lost: LockstepError | undefined;

  constructor(number: number, what: string, clock: Clock, onGivenUp: (generation: Generation) => void) {
    this.number = number;
    this.together = new WaitQueue(clock, what, () => {
      onGivenUp(this);
    });
    this.afterwards = new WaitQueue(clock, what);
  }

  get hasTripped(): boolean {
    return this.#hasTripped;
  }

  /** Whether one who waits gives up this very moment: its signal has aborted, and tells us after others. */
  get isDeserted(): boolean {
    for (const { signal } of this.together) if (signal?.aborted) return true;
    return false;
  }

  /** Why it will never trip. */
  get lost(): LockstepError | undefined {
    return this.#lost;
  }

  trip(): void {
    this.#hasTripped = true;
    let isLeader = true;
    for (const first of this.together.drain()) {
      first.grant({ generation: this.number, isLeader });
      isLeader = false;
    }
    for (const first of this.afterwards.drain()) first.grant();
  }

  lose(error: LockstepError): void {
    this.#lost ??= error;
    for (const waiters of [this.together, this.afterwards]) {
      for (const first of waiters.drain()) first.refuse(error);
    }
  }
}

/** What one has who has arrived at a barrier without waiting. */
export class Arrival {
  readonly #generation: Generation;

  /** @internal */
  constructor(generation: Generation) {
    this.#generation = generation;
  }

  /** The number of the generation that it counts for. */
  get generation(): number {
    return this.#generation.number;
  }

  /**
   * Waits until all have arrived and the action is over, or goes on at once if that has been.
   *
   * *Cancellation*: one who gives up here has arrived all the same, and breaks nothing.
   * *Failure*: rejects with 'lost' when the barrier broke, or was reset, before that.
   */
  wait(patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    const { lost, hasTripped, afterwards } = this.#generation;
    if (lost !== undefined) return Promise.reject(lost);
    return hasTripped ? Promise.resolve() : afterwards.wait(undefined, patience);
  }
}
