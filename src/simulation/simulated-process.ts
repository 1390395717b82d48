import type { Clock } from "../base/clock.js";
import { SeededRandom } from "../base/random.js";
import type { Store } from "../store/store.js";
import { ProcessClock } from "./process-clock.js";
import { SimulatedStore } from "./simulated-store.js";
import type { Wire } from "./wire.js";

/** What reaches a process while it is frozen: it waits. */
type Kind = "timer" | "message";

/**
 * One life of a process, from its start to its death: it has a clock and a network of its own. Frozen,
 * nothing of it runs, while the world goes on. Killed, nothing of it ever runs again, and who starts it
 * again starts another one.
 */
export class SimulatedProcess {
  readonly name: string;
  /** Its own clock, which may be fast or slow. */
  readonly clock: Clock;
  readonly #clock: ProcessClock;
  /** Its own source of chance. */
  readonly random: SeededRandom;
  readonly #wire: Wire;
  readonly #waiting: { kind: Kind; callback: () => void }[] = [];
  #isFrozen = false;
  #isKilled = false;

  /** @internal */
  constructor(name: string, wire: Wire, rate: number, seed: number) {
    this.name = name;
    this.random = new SeededRandom(seed);
    this.#wire = wire;
    const perform = (callback: () => void) => {
      this.perform("timer", callback);
    };
    // Its reading says nothing to others: it began to count when the machine was switched on.
    this.#clock = new ProcessClock(wire.timeline, rate, this.random.below(1e9), perform);
    this.clock = this.#clock;
  }

  /** Whether it is neither frozen nor dead. */
  get isRunning(): boolean {
    return !this.#isFrozen && !this.#isKilled;
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Another client of the world's store. */
  store(): Store {
    return new SimulatedStore(this, this.#wire);
  }

  /** Resolves after so many milliseconds of its own clock; never if it is killed before. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(delayMs, resolve));
  }

  /** @internal Runs a callback now, or when the process goes on, or never. */
  perform(kind: Kind, callback: () => void): void {
    if (this.#isKilled) return;
    if (this.#isFrozen) this.#waiting.push({ kind, callback });
    else callback();
  }

  /** @internal */
  jumpClock(byMs: number): void {
    this.#clock.jump(byMs);
  }

  /** @internal */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** @internal Everything that waited happens now, all timers before all messages or the other way round. */
  thaw(first: Kind): void {
    this.#isFrozen = false;
    const waiting = this.#waiting.splice(0);
    const isFirst = ({ kind }: { kind: Kind }) => kind === first;
    for (const { kind, callback } of [
      ...waiting.filter(isFirst),
      ...waiting.filter((one) => !isFirst(one)),
    ]) {
      this.#wire.timeline.after(0, () => {
        this.perform(kind, callback);
      });
    }
  }

  /** @internal */
  kill(): void {
    this.#isKilled = true;
    this.#waiting.length = 0;
  }
}
