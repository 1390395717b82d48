import type { Clock, Timer } from "lockstep/base";

/** The clock of a process that may freeze: time goes on, but no timer goes off before it wakes. */
export class Nap implements Clock {
  readonly #clock: Clock;
  readonly #overdue = new Set<() => void>();
  #sleeps = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  freeze(): void {
    this.#sleeps = true;
  }

  wake(): void {
    this.#sleeps = false;
    const overdue = [...this.#overdue];
    this.#overdue.clear();
    for (const callback of overdue) callback();
  }

  now(): number {
    return this.#clock.now();
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  after(delayMs: number, callback: () => void, background?: "background"): Timer {
    const due = () => {
      if (this.#sleeps) this.#overdue.add(due);
      else callback();
    };
    const timer = this.#clock.after(delayMs, due, background);
    return {
      cancel: () => {
        this.#overdue.delete(due);
        timer.cancel();
      },
    };
  }
}
