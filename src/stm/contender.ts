import { delivered } from "../base/courier.js";
import { circleThrough } from "./deadlock.js";
import { Claim, compareWants, Locks, type Lockable, type Want } from "./locks.js";
import { GaveWay } from "./signals.js";
import { everything } from "./span.js";

/** Who would lock more parts of a table than this locks all of it. */
const mostParts = 64;

/**
 * One who locks: a call of `atomically` with all its attempts. What it holds it keeps until it has committed,
 * or has to give way.
 */
export class Contender {
  /** Rises from one to the next, and stays over all attempts: so the oldest is always known. */
  readonly born: number;
  /** Whether nobody may write what it has locked. Else a transaction that cannot wait may. */
  readonly isFirm: boolean;
  /** Whether it waits for locks in their order only, so that it never waits in a circle. */
  readonly isSorted: boolean;
  readonly held: Claim[] = [];
  readonly waiting = new Set<Claim>();
  /** What the next attempt locks before it begins. */
  readonly #planned = new Map<Lockable, Want[]>();

  constructor(born: number, isFirm: boolean, isSorted: boolean) {
    this.born = born;
    this.isFirm = isFirm;
    this.isSorted = isSorted;
  }

  holds(want: Want): boolean {
    return want.on.locks?.holds(this, want) === true;
  }

  /** Locks it: at once, or when the promise resolves. That one rejects, or it throws, with `GaveWay`. */
  lock(want: Want): Promise<void> | undefined {
    if (this.holds(want)) return undefined;
    const locks = Locks.of(want.on);
    const claim = new Claim(this, want);
    if (locks.isFree(claim)) {
      locks.take(claim);
      return undefined;
    }
    if (this.isSorted && this.held.some((held) => compareWants(held, want) >= 0)) {
      this.plan([want, ...this.held]);
      throw new GaveWay(`${want.on.what} comes before what it had locked`);
    }
    return this.#wait(locks, claim);
  }

  /** What the next attempt is to lock before it begins. */
  plan(wants: Iterable<Want>): void {
    for (const want of wants) {
      let planned = this.#planned.get(want.on);
      if (planned === undefined) this.#planned.set(want.on, (planned = []));
      const isIn = ({ span, isExclusive }: Want) =>
        span.covers(want.span) && (isExclusive || !want.isExclusive);
      if (!planned.some(isIn)) planned.push(want);
      if (planned.length <= mostParts) continue;
      const isExclusive = planned.some((part) => part.isExclusive);
      this.#planned.set(want.on, [{ on: want.on, span: everything, isExclusive }]);
    }
  }

  /** Locks what was planned, in the order of all locks. */
  async prepare(): Promise<void> {
    const wants = [...this.#planned.values()].flat().sort(compareWants);
    for (const want of wants) {
      const wait = this.lock(want);
      if (wait !== undefined) await wait;
    }
  }

  /** Gives back all that it holds. */
  release(): void {
    for (const claim of this.held.splice(0)) claim.on.locks!.leave(claim);
  }

  /** Ends whatever it waits for. */
  withdraw(error: unknown): void {
    for (const claim of [...this.waiting]) {
      claim.settle?.(Promise.reject(error));
      claim.on.locks!.leave(claim);
    }
  }

  #wait(locks: Locks, claim: Claim): Promise<void> {
    const granted = new Promise<void>((resolve) => {
      claim.settle = (outcome) => {
        this.waiting.delete(claim);
        resolve(outcome);
      };
    });
    // Who forgets to await it hears of it at the commit.
    granted.catch(() => undefined);
    this.waiting.add(claim);
    locks.join(claim);
    // A circle can only be closed by one who begins to wait: each new wait is looked at, and none is left.
    for (let circle = circleThrough(this); circle !== undefined; circle = circleThrough(this)) {
      const youngest = circle.reduce((a, b) => (a.born > b.born ? a : b));
      youngest.withdraw(new GaveWay("it waited in a circle with others, and was the youngest of them"));
    }
    return delivered(granted, () => `the lock of ${claim.on.what}`, claim.on);
  }
}
