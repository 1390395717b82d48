import { delivered } from "../base/courier.js";
import { circleThrough } from "./deadlock.js";
import { Claim, compareWants, Locks, type Lockable, type Want } from "./locks.js";
import { GaveWay, type Leaving } from "./signals.js";
import { everything, type Span } from "./span.js";

/** Who would lock more parts of a table than this locks all of it. */
const mostParts = 64;

/** Who can become one who locks, if need be. */
export interface Contending {
  contender(): Contender;
}

/**
 * One who locks: a call of `atomically` with all its attempts. What it holds it keeps until it has committed,
 * or has to give way.
 */
export class Contender {
  /** Rises from one to the next, and stays over all attempts: so the oldest is always known. */
  readonly born: number;
  /** Whether nobody may write what it has locked. Else a transaction that cannot wait may. */
  readonly isFirm: boolean;
  /** Whether it waits for locks in their order only. */
  readonly isSorted: boolean;
  readonly held: Claim[] = [];
  /** What it waits for: one lock at a time, though it may have asked for several. */
  waiting: Claim | undefined;
  /** The last of those that it has asked for and not got, while there are any. */
  #line: Promise<void> | undefined;
  /** Rises with each release: what was asked for before is not to be got after it. */
  #era = 0;
  /** What the next attempt locks before it begins. */
  #planned: Map<Lockable, Want[]> | undefined;

  constructor(born: number, isFirm: boolean, isSorted: boolean) {
    this.born = born;
    this.isFirm = isFirm;
    this.isSorted = isSorted;
  }

  holds(on: Lockable, span: Span, isExclusive: boolean): boolean {
    return on.locks?.holds(this, span, isExclusive) === true;
  }

  /**
   * Locks it: at once, or when the promise resolves. That one rejects, or this throws, with `GaveWay`.
   * What is asked for while it waits comes after that: so it waits in one place at a time, and takes
   * nothing meanwhile; and only one who begins to wait can close a circle.
   */
  lock(on: Lockable, span: Span, isExclusive: boolean): Promise<void> | undefined {
    if (this.holds(on, span, isExclusive)) return undefined;
    const era = this.#era;
    const wait =
      this.#line === undefined
        ? this.#lockNow(on, span, isExclusive)
        : this.#line.then(() => {
            if (era !== this.#era) throw new GaveWay("its block has ended");
            return this.#lockNow(on, span, isExclusive);
          });
    if (wait === undefined) return undefined;
    this.#line = wait;
    const leave = () => {
      if (this.#line === wait) this.#line = undefined;
    };
    wait.then(leave, leave);
    return wait;
  }

  /** What the next attempt is to lock before it begins. */
  plan(wants: Iterable<Want>): void {
    this.#planned ??= new Map();
    for (const { on, span, isExclusive } of wants) {
      const want = { on, span, isExclusive };
      const planned: Want[] = this.#planned.get(on) ?? [];
      // Of one thing the stronger lock, from the start: to ask for more later is how circles come about.
      const same = planned.findIndex((other) => span.compare(other.span) === 0);
      if (same < 0) planned.push(want);
      else if (isExclusive) planned[same] = want;
      const isTooMuch = planned.length > mostParts;
      const all = { on, span: everything, isExclusive: planned.some((part) => part.isExclusive) };
      this.#planned.set(on, isTooMuch ? [all] : planned);
    }
  }

  /** Locks what was planned, in the order of all locks. */
  async prepare(): Promise<void> {
    const era = this.#era;
    const wants = [...(this.#planned?.values() ?? [])].flat().sort(compareWants);
    for (const { on, span, isExclusive } of wants) {
      const wait = this.lock(on, span, isExclusive);
      if (wait !== undefined) await wait;
      // It may have been called off in the very turn in which it was granted this.
      if (era !== this.#era) throw new GaveWay("its caller has given up");
    }
  }

  /** Gives back all that it holds, and waits for nothing any more. */
  release(): void {
    if (this.waiting !== undefined) this.withdraw(new GaveWay("its block has ended"));
    this.#era++;
    this.#line = undefined;
    // All of it before anybody is served: a million rows are not worth a million looks at who waits.
    const freed = new Set<Locks>();
    for (const claim of this.held.splice(0)) {
      const locks = claim.on.locks!;
      locks.giveBack(claim);
      freed.add(locks);
    }
    for (const locks of freed) locks.serve();
  }

  /** Ends its wait. */
  withdraw(error: Leaving): void {
    const claim = this.waiting;
    if (claim === undefined) return;
    claim.settle!(error);
    claim.on.locks!.leaveLine(claim);
  }

  #lockNow(on: Lockable, span: Span, isExclusive: boolean): Promise<void> | undefined {
    if (this.holds(on, span, isExclusive)) return undefined;
    const locks = Locks.of(on);
    const claim = new Claim(this, on, span, isExclusive);
    if (locks.isFree(claim)) {
      locks.take(claim);
      return undefined;
    }
    if (this.isSorted && this.held.some((held) => compareWants(held, claim) >= 0)) {
      this.plan([claim, ...this.held]);
      throw new GaveWay(`${on.what} comes before what it had locked`);
    }
    return this.#wait(locks, claim);
  }

  #wait(locks: Locks, claim: Claim): Promise<void> {
    const granted = new Promise<void>((resolve, reject) => {
      claim.settle = (error) => {
        this.waiting = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    this.waiting = claim;
    locks.join(claim);
    // Each new wait is looked at, so no circle is left.
    for (let circle = circleThrough(this); circle !== undefined; circle = circleThrough(this)) {
      circle.reduce((a, b) => (a.born > b.born ? a : b)).#giveWay();
    }
    return delivered(granted, () => `the lock of ${claim.on.what}`, claim.on);
  }

  /** Its next attempt begins with all that it had by then, and with what it waited for, in order. */
  #giveWay(): void {
    this.plan([...this.held, this.waiting!]);
    this.withdraw(new GaveWay("it waited in a circle with others, and was the youngest of them"));
  }
}
