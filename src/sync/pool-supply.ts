import type { LockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";
import { PoolHooks } from "./pool-hooks.js";
import { Lease, type PoolLender } from "./pool-lease.js";
import type { PoolPlan } from "./pool-options.js";
import { Pooled, PoolShelf } from "./pool-shelf.js";
import { WaitQueue } from "./wait-queue.js";

/**
 * The works of a pool: brings its resources to those who wait for one.
 *
 * Each resource is in one place at a time: on the shelf, lent, in the hands of a hook, or destroyed. Whatever
 * leaves a hook's hands, whichever way, is followed by `#goOn`, so nobody waits for what does not come.
 */
export class PoolSupply<T> implements PoolLender<T> {
  readonly #min: number;
  readonly #max: number;
  readonly #hooks: PoolHooks<T>;
  readonly #shelf: PoolShelf<T>;
  readonly #line: WaitQueue<Lease<T>>;
  readonly #closers: WaitQueue<void>;
  #lent = 0;
  /** In the hands of make, check or recycle: on their way to the first in line, or else to the shelf. */
  #coming = 0;
  /** Those of them that are in the hands of check. */
  #checking = 0;
  /** In the hands of destroy. They take no place any more, or one that cannot be destroyed would keep it. */
  #going = 0;
  /** The last make failed: as long as none succeeds, none is made for stock. */
  #isFailing = false;
  /** Once it is closed: what to tell those who come. */
  #refusal: (() => LockstepError) | undefined;

  constructor(plan: PoolPlan<T>) {
    const { what, clock, min, max, idleTimeoutMs } = plan;
    this.#min = min;
    this.#max = max;
    this.#hooks = new PoolHooks(plan);
    const onExpired = (expired: readonly Pooled<T>[]) => {
      for (const pooled of expired) this.#destroy(pooled);
      this.#goOn();
    };
    this.#shelf = new PoolShelf(clock, idleTimeoutMs, () => this.size - min, onExpired);
    this.#line = new WaitQueue(clock, what);
    this.#closers = new WaitQueue(clock, `all that ${what} has lent`);
    // Not before all is set up: the hooks may well know of the pool.
    if (min > 0) {
      queueMicrotask(() => {
        this.#goOn();
      });
    }
  }

  get size(): number {
    return this.#lent + this.#shelf.size + this.#coming;
  }

  get idle(): number {
    return this.#shelf.size;
  }

  get lent(): number {
    return this.#lent;
  }

  get waiting(): number {
    return this.#line.size;
  }

  get isClosed(): boolean {
    return this.#refusal !== undefined;
  }

  /** Lends one if there is one at once; what it takes time to make or check is for the next who asks. */
  lendAtOnce(): Lease<T> | null {
    if (!this.#line.isEmpty) return null;
    try {
      const pooled = this.#findAtOnce();
      if (this.#refusal === undefined) return pooled === undefined ? null : this.#lend(pooled);
      // Its check or its make has closed the pool.
      if (pooled !== undefined) this.#destroy(pooled);
      throw this.#refusal();
    } finally {
      this.#goOn();
    }
  }

  /** Lends one, now or when there is one. The patience must have been checked. */
  lend(patience?: Patience): Promise<Lease<T>> {
    if (!this.#hooks.hasCheck) {
      // Without checks nobody waits while there is one on the shelf, so this one overtakes nobody.
      const pooled = this.#shelf.take();
      if (pooled !== undefined) return Promise.resolve(this.#lend(pooled));
    }
    const lease = this.#line.wait(undefined, patience);
    this.#goOn();
    return lease;
  }

  takeBack(pooled: Pooled<T>): void {
    this.#lent--;
    this.#coming++;
    const isClean = this.isClosed || this.#hooks.recycle(pooled.resource);
    if (typeof isClean === "boolean") this.#recycled(pooled, isClean);
    else void isClean.then((isCleanNow) => this.#recycled(pooled, isCleanNow));
  }

  writeOff(pooled: Pooled<T>): void {
    this.#lent--;
    this.#destroy(pooled);
    this.#goOn();
  }

  /** Lends no more, and destroys what is idle. Each who waits is refused with an error of its own. */
  beginClosing(refusal: () => LockstepError): void {
    this.#refusal = refusal;
    for (const first of this.#line.drain()) {
      first.refuse(refusal());
    }
    this.#hooks.abortMaking(refusal());
    for (const pooled of this.#shelf.clear()) this.#destroy(pooled);
    this.#goOn();
  }

  /** Waits until all is back and destroyed. The patience must have been checked. */
  end(patience?: Patience): Promise<void> {
    if (!this.#isGone) return this.#closers.wait(undefined, patience);
    const { unheard } = this.#hooks;
    return unheard === undefined ? Promise.resolve() : Promise.reject(unheard);
  }

  get #isFull(): boolean {
    return this.size >= this.#max;
  }

  /** Whether nothing is left of it. */
  get #isGone(): boolean {
    return this.isClosed && this.size === 0 && this.#going === 0;
  }

  /** One that is good, if no hook needs time for that. Throws what make throws. */
  #findAtOnce(): Pooled<T> | undefined {
    for (let pooled = this.#shelf.take(); pooled !== undefined; pooled = this.#shelf.take()) {
      const isGood = this.#check(pooled);
      if (isGood === "later") return undefined;
      if (isGood) return pooled;
    }
    // What is on its way already is enough for one.
    return this.isClosed || this.#coming > 0 || this.#isFull ? undefined : this.#make();
  }

  #lend(pooled: Pooled<T>): Lease<T> {
    this.#lent++;
    return new Lease(this, pooled);
  }

  #recycled(pooled: Pooled<T>, isClean: boolean): void {
    this.#coming--;
    if (!isClean) this.#destroy(pooled);
    else if (this.#line.isEmpty || this.#check(pooled) === true) this.#deliver(pooled);
    this.#goOn();
  }

  /** One that is good: to the first in line, or to the shelf. */
  #deliver(pooled: Pooled<T>): void {
    if (this.isClosed) {
      this.#destroy(pooled);
      return;
    }
    const first = this.#line.shift();
    if (first === undefined) this.#shelf.put(pooled);
    else first.grant(this.#lend(pooled));
  }

  /**
   * Whether it is good. One that is not is destroyed, and one whose check takes time is delivered later. It
   * counts as coming even while the check is being called, for the check may call the pool.
   */
  #check(pooled: Pooled<T>): boolean | "later" {
    this.#coming++;
    this.#checking++;
    const isGood = this.#hooks.check(pooled.resource);
    if (typeof isGood !== "boolean") {
      void isGood.then((isGoodNow) => {
        if (this.#checked(pooled, isGoodNow)) this.#deliver(pooled);
        this.#goOn();
      });
      return "later";
    }
    return this.#checked(pooled, isGood);
  }

  #checked(pooled: Pooled<T>, isGood: boolean): boolean {
    this.#checking--;
    this.#coming--;
    if (!isGood) this.#destroy(pooled);
    return isGood;
  }

  /** One that is there at once, or nothing when it comes later. Throws what make throws. */
  #make(): Pooled<T> | undefined {
    this.#coming++;
    let made: T | Promise<T>;
    try {
      made = this.#hooks.make((late) => {
        this.#destroy(new Pooled(late));
        this.#goOn();
      });
    } catch (error) {
      this.#coming--;
      this.#isFailing = true;
      throw error;
    }
    if (made instanceof Promise) {
      void made.then(
        (resource) => {
          this.#coming--;
          this.#isFailing = false;
          this.#deliver(new Pooled(resource));
          this.#goOn();
        },
        (error: unknown) => {
          this.#coming--;
          this.#isFailing = true;
          this.#refuseFirst(error);
          this.#goOn();
        },
      );
      return undefined;
    }
    this.#coming--;
    this.#isFailing = false;
    return new Pooled(made);
  }

  /**
   * None could be made: the first in line is told, unless for all of them something else is on its way. So
   * each failure ends a wait or a make for stock, and no failure leads to a loop.
   */
  #refuseFirst(error: unknown): void {
    // Then it was told to stop.
    if (this.isClosed) return;
    // Perhaps none is left: the size counts those whose signal has aborted, as long as they are not told.
    const first = this.#line.size > this.#coming ? this.#line.shift() : undefined;
    if (first === undefined) this.#hooks.report(error, "make");
    else first.refuse(error);
  }

  #destroy({ resource }: Pooled<T>): void {
    this.#going++;
    const isDone = this.#hooks.destroy(resource);
    if (typeof isDone === "boolean") {
      this.#going--;
      return;
    }
    void isDone.then(() => {
      this.#going--;
      this.#goOn();
    });
  }

  /** Whatever has changed: sees to those who wait, to the stock, and to those who wait for the end. */
  #goOn(): void {
    for (;;) {
      // One that is being made may take long: who waits for it may well be served by one on the shelf.
      if (this.#shelf.size > 0 && this.#line.size > this.#checking) this.#deliverFromShelf();
      else if (this.#shelf.size === 0 && this.#line.size > this.#coming && !this.#isFull) this.#supply();
      else break;
    }
    while (this.size < this.#min && !this.#isFailing && !this.isClosed) this.#supply();
    if (!this.#isGone) return;
    const { unheard } = this.#hooks;
    for (let closer = this.#closers.shift(); closer !== undefined; closer = this.#closers.shift()) {
      if (unheard === undefined) closer.grant();
      else closer.refuse(unheard);
    }
  }

  #deliverFromShelf(): void {
    const pooled = this.#shelf.take()!;
    if (this.#check(pooled) === true) this.#deliver(pooled);
  }

  #supply(): void {
    try {
      const made = this.#make();
      if (made !== undefined) this.#deliver(made);
    } catch (error) {
      this.#refuseFirst(error);
    }
  }
}
