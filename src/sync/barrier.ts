import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { Arrival, Generation, type Trip } from "./barrier-generation.js";
import { checkCount } from "./check-count.js";
import { detached } from "./deadlock-watch.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";

export interface BarrierOptions extends LockOptions {
  /** Runs when all have arrived, before any of those who wait goes on; may be async. */
  action?: ((generation: number) => unknown) | undefined;
}

/**
 * Where so many parties wait for each other, again and again: work in phases, each of which begins when all
 * have ended the one before. Parties may come and leave between.
 *
 * *Fairness*: all go on together, in the order in which they came; the first of those who wait is the leader.
 *
 * *Cancellation*: those who wait rely on each other. One who gives up breaks the barrier, unless all others
 * have arrived and it is only the action that goes on.
 *
 * *Failure*: when it breaks, because one gave up or the action failed, all who wait reject with 'lost', and
 * so does whoever comes, until it is reset.
 */
export class Barrier {
  readonly #what: string;
  readonly #clock: Clock;
  readonly #action: ((generation: number) => unknown) | undefined;
  #parties: number;
  /** The one that arrives now. When it is lost, the barrier is broken. */
  #current: Generation;
  /** Those that have all arrived, and wait for the end of an action; the oldest first. */
  readonly #complete = new Set<Generation>();
  /** The actions run one after the other. */
  #actions: Promise<void> = Promise.resolve();

  constructor(parties: number, options: BarrierOptions = {}) {
    const { what, clock } = checkLockOptions("barrier", options, ["action"]);
    checkCount("parties", parties);
    const { action } = options;
    if (action !== undefined && typeof action !== "function") {
      throw new LockstepError("bad-input", `action must be a function to run at each trip of ${what}`);
    }
    this.#what = what;
    this.#clock = clock;
    this.#action = action;
    this.#parties = parties;
    this.#current = this.#generation(0);
  }

  /** How many must arrive. */
  get parties(): number {
    return this.#parties;
  }

  /** How many of them have arrived. */
  get arrived(): number {
    return this.#current.arrived;
  }

  /** The number of the generation that arrives now; the first is 0. */
  get generation(): number {
    return this.#current.number;
  }

  /** Whether it must be reset before anybody can arrive. */
  get isBroken(): boolean {
    return this.#current.lost !== undefined;
  }

  /**
   * Arrives, and waits for all others. With a `timeoutMs` of 0 it arrives only if it is the last, and changes
   * nothing if it is not.
   */
  wait(patience?: Patience): Promise<Trip> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    const generation = this.#arriving();
    const objection = this.#objection() ?? generation.lost;
    if (objection !== undefined) return Promise.reject(objection);
    if (patience?.timeoutMs === 0) {
      if (generation.arrived + 1 < this.#parties) return generation.together.wait(undefined, patience);
      // The last one waits for nobody: the action is a part of arriving.
      patience = { signal: patience.signal };
    }
    const trip = generation.together.wait(undefined, patience);
    this.#arrive();
    return trip;
  }

  /**
   * Arrives, and does not wait.
   *
   * *Failure*: throws 'lost' when the barrier is broken.
   */
  arrive(): Arrival {
    const generation = this.#arriving();
    const objection = this.#objection() ?? generation.lost;
    if (objection !== undefined) throw objection;
    this.#arrive();
    return new Arrival(generation);
  }

  /** Arrives for the last time: from now on there is one party less. Does so at a broken barrier as well. */
  arriveAndDeregister(): Arrival {
    const generation = this.#arriving();
    const objection = this.#objection();
    if (objection !== undefined) throw objection;
    this.#parties--;
    this.#tripIfComplete();
    return new Arrival(generation);
  }

  /** Adds parties. They are waited for from this generation on, the number of which is given back. */
  register(count = 1): number {
    checkCount("the number of new parties", count);
    this.#parties += count;
    return this.#current.number;
  }

  /**
   * Begins again, with all parties still to arrive. Those who wait reject with 'lost'. An action that is
   * still running is not waited for, and what comes of it concerns nobody.
   */
  reset(): void {
    this.#lose(new LockstepError("lost", `${this.#what} was reset before all had arrived; arrive again`));
    this.#actions = Promise.resolve();
    this.#current = this.#generation(this.#current.number + 1);
  }

  /** The generation of whoever comes now: broken, if it would trip with one who has just given up. */
  #arriving(): Generation {
    const generation = this.#current;
    if (generation.arrived + 1 >= this.#parties && generation.isDeserted) this.#desert(generation);
    return generation;
  }

  #arrive(): void {
    this.#current.arrived++;
    this.#tripIfComplete();
  }

  #tripIfComplete(): void {
    const generation = this.#current;
    if (generation.arrived < this.#parties || generation.lost !== undefined) return;
    // Whoever comes from now on belongs to the next, even while the action runs.
    this.#current = this.#generation(generation.number + 1);
    const action = this.#action;
    if (action === undefined) {
      generation.trip();
      return;
    }
    this.#complete.add(generation);
    this.#actions = this.#actions.then(() => this.#tripAfter(action, generation));
  }

  async #tripAfter(action: (generation: number) => unknown, generation: Generation): Promise<void> {
    // It may have been lost, by a reset or by the action before.
    if (!this.#complete.has(generation)) return;
    try {
      // It is for all: what the one who came last holds is not held by it.
      const act = () => action(generation.number);
      await detached(act);
    } catch (cause) {
      if (!this.#complete.has(generation)) return;
      this.#lose(this.#broken(`its action failed in generation ${generation.number}`, { cause }));
      return;
    }
    if (this.#complete.delete(generation)) generation.trip();
  }

  #generation(number: number): Generation {
    return new Generation(number, this.#what, this.#clock, (generation) => {
      // Once all have arrived, those who leave are not missed any more.
      if (generation === this.#current) this.#desert(generation);
    });
  }

  #desert(generation: Generation): void {
    generation.lose(this.#broken("one who waited at it gave up"));
  }

  /** All that have not tripped. */
  #lose(error: LockstepError): void {
    for (const generation of this.#complete) generation.lose(error);
    this.#complete.clear();
    this.#current.lose(error);
  }

  #broken(why: string, details?: { cause: unknown }): LockstepError {
    return new LockstepError("lost", `${this.#what} is broken: ${why}; reset it to begin again`, details);
  }

  #objection(): LockstepError | undefined {
    if (this.#parties > 0) return undefined;
    return new LockstepError(
      "misuse",
      `${this.#what} has no parties left who could arrive; register them first`,
    );
  }
}
