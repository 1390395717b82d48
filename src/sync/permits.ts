import type { Clock } from "../base/clock.js";
import { delivered } from "../base/courier.js";
import { LockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";
import { deadlockWatch } from "./deadlock-watch.js";
import { Held, type Lender } from "./held.js";
import { WaitQueue, type Waiter } from "./wait-queue.js";

/** So many permits are wanted, and so urgently. */
export class Want<H extends Held = Held> {
  readonly weight: number;
  /** Lane 0 is served before lane 1, and so on. */
  readonly lane: number;
  /** The hold that is wanted back, by one who has given it back for a while. */
  readonly again: H | undefined;

  constructor(weight = 1, lane = 0, again?: H) {
    this.weight = weight;
    this.lane = lane;
    this.again = again;
  }

  /** What is given for it; another want may give something more. */
  issue(permits: Permits): H {
    if (this.again === undefined) return new Held(permits, this.weight) as H;
    this.again.lendAgain(permits);
    return this.again;
  }
}

/**
 * So many permits, and those who wait for some: what every lock of an event loop is made of. A mutex is one
 * permit; a reader takes one of very many, and a writer all of them.
 *
 * The first in the most urgent lane that anybody waits in is served next, and nobody is served before: one
 * who wants many permits is not overtaken for ever by those who want few.
 */
export class Permits implements Lender {
  readonly #what: string | (() => string);
  #total: number;
  /** Less than nothing when the total was lowered to less than is held. */
  #free: number;
  readonly #lanes: readonly WaitQueue<Held, Want>[];

  /** `what` names it in errors; or makes the name, if only errors need it. */
  constructor(what: string | (() => string), total: number, clock: Clock, lanes = 1) {
    this.#what = what;
    this.#total = total;
    this.#free = total;
    // One who gives up may have stood in the way of others.
    const onGivenUp = () => {
      this.#serve();
    };
    this.#lanes = Array.from({ length: lanes }, () => new WaitQueue<Held, Want>(clock, what, onGivenUp));
  }

  get what(): string {
    return typeof this.#what === "string" ? this.#what : this.#what();
  }

  get total(): number {
    return this.#total;
  }

  get free(): number {
    return Math.max(0, this.#free);
  }

  /** How many wait. */
  waiting(): number {
    return this.#lanes.reduce((sum, { size }) => sum + size, 0);
  }

  /** Whether anybody waits in the lane. */
  isWaitedFor(lane: number): boolean {
    return !this.#lanes[lane]!.isEmpty;
  }

  /** Those who wait, in the order in which they are served. */
  *waiters(): IterableIterator<Waiter<Held, Want>> {
    for (const lane of this.#lanes) yield* lane;
  }

  /** Takes permits that are free, unless others wait for them who come first. */
  tryTake<H extends Held>(want: Want<H>): H | null {
    if (this.#free < want.weight || this.#wouldOvertake(want)) return null;
    this.#free -= want.weight;
    return this.#lend(want);
  }

  /** Takes permits, or waits for them. The patience must have been checked. */
  take<H extends Held>(want: Want<H>, patience?: Patience): Promise<H> {
    return this.arrival(this.takeUndelivered(want, patience));
  }

  /** When what was taken arrives at whoever waits for it: at once, but for the explorer. */
  arrival<H extends Held>(taken: Promise<H>): Promise<H> {
    return delivered(taken, this.#what, this);
  }

  /** The same, for one who takes them for somebody else, who will wait for them to be delivered. */
  takeUndelivered<H extends Held>(want: Want<H>, patience?: Patience): Promise<H> {
    const held = this.tryTake(want);
    if (held !== null) return resolved(held);
    const lane = this.#lanes[want.lane]!;
    // What is granted to it is what it issues.
    if (deadlockWatch === undefined) return lane.join(want, patience) as Promise<H>;
    return lane.join(want, patience, (waiter) => {
      const refusal = deadlockWatch?.waits(this, waiter);
      if (refusal === undefined) return;
      // No `#serve`: what was first before it is first still.
      lane.remove(waiter);
      waiter.refuse(refusal);
    }) as Promise<H>;
  }

  takeBack(weight: number): void {
    this.#free += weight;
    if (deadlockWatch !== undefined) deadlockWatch.returned(this);
    this.#serve();
  }

  /**
   * Sets how many there are. What is held stays held: when that is more, what comes back is not lent again.
   * Who waits for more than there are from now on is refused, for it would keep all others waiting.
   */
  resize(total: number): void {
    this.#free += total - this.#total;
    this.#total = total;
    for (const lane of this.#lanes) {
      for (const waiter of [...lane]) {
        if (waiter.request.weight <= total) continue;
        lane.remove(waiter);
        waiter.refuse(this.neverHad(waiter.request.weight));
      }
    }
    this.#serve();
  }

  neverHad(weight: number): LockstepError {
    return new LockstepError(
      "bad-input",
      `weight ${weight} will never be had from ${this.what}, which has ${this.#total} permits; ` +
        `take less, or resize it first`,
    );
  }

  /** Lends permits that are no longer counted as free, to the waiter or else to the running code. */
  #lend<H extends Held>(want: Want<H>, waiter?: Waiter<Held, Want>): H {
    const held = want.issue(this);
    if (deadlockWatch !== undefined) deadlockWatch.holds(this, held, waiter);
    return held;
  }

  #wouldOvertake({ lane }: Want): boolean {
    for (let before = 0; before <= lane; before++) if (!this.#lanes[before]!.isEmpty) return true;
    return false;
  }

  #serve(): void {
    for (let index = 0; index < this.#lanes.length; index++) {
      const lane = this.#lanes[index]!;
      for (let first = lane.first; first !== undefined; first = lane.first) {
        const want = first.request;
        // Not whoever comes after it either: it would be overtaken.
        if (this.#free < want.weight) return;
        lane.remove(first);
        this.#free -= want.weight;
        first.grant(this.#lend(want, first));
      }
    }
  }
}

/** As `Promise.resolve`, but faster: it need not ask whether it was given a promise. */
async function resolved<H extends Held>(held: H): Promise<H> {
  return held;
}
