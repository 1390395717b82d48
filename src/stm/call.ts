import type { Clock } from "../base/clock.js";
import { delivered } from "../base/courier.js";
import { LockstepError } from "../base/errors.js";
import { isPromise } from "../base/is-promise.js";
import { whenPatienceEnds, type Patience } from "../base/patience.js";
import { retryLoop, Setback } from "../base/retry-loop.js";
import type { Block } from "./block.js";
import { Cell } from "./cell.js";
import { Contender, type Contending } from "./contender.js";
import { LockingBlock } from "./locking-block.js";
import type { Manner } from "./manner.js";
import { OptimisticBlock } from "./optimistic-block.js";
import { runIn } from "./running.js";
import { CalledOff, Conflict, GaveWay, Leaving, retry } from "./signals.js";
import type { Space } from "./space.js";
import { snapshotTooOld } from "./versions.js";
import type { Sleeper } from "./wakeups.js";

/** From so many conflicts on, the next attempt locks whatever the last one has touched. */
const conflictsBeforeAll = 2;

type Outcome<T> = T | Setback;

/**
 * One call of `atomically`, with all its attempts.
 *
 * A block that does not wait is run, checked and published in one turn of the event loop, in which
 * nothing else can happen. One that waits is checked and published in one turn, too, at its end.
 *
 * After a conflict, what it was about is locked for the next attempt: so those who have lost go one after
 * the other, the one who lost first before the others, and nobody who waits for locks comes in between.
 * From the second on, all is locked that was touched: so in the end nothing is left that others could
 * spoil, and who gives way in a circle of waits is the youngest of it, so the oldest of all never does.
 */
export class Call<T> implements Contending {
  readonly #space: Space;
  readonly #block: (tx: never) => T | PromiseLike<T>;
  readonly #manner: Manner;
  readonly #born: number;
  #contender: Contender | undefined;
  #attempt: Block | undefined;
  #conflicts = 0;
  #isDone = false;
  #calledOff: CalledOff | undefined;
  #sleeper: Sleeper | undefined;

  constructor(space: Space, block: (tx: never) => T | PromiseLike<T>, manner: Manner) {
    this.#space = space;
    this.#block = block;
    this.#manner = manner;
    this.#born = space.nextBirth();
  }

  start(): Promise<T> {
    let outcome: Outcome<T> | Promise<Outcome<T>>;
    try {
      outcome = this.#play();
    } catch (error) {
      this.#contender?.release();
      return Promise.reject(error);
    }
    return isPromise(outcome) || outcome instanceof Setback ? this.#goOn(outcome) : Promise.resolve(outcome);
  }

  /** The same, as long as the caller's patience lasts. */
  startWithin(patience: Patience, clock: Clock): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = (error: unknown) => {
        // What is done cannot be called off; whoever called hears so in a moment.
        if (this.#isDone) return;
        this.#callOff(error);
        reject(error);
      };
      const callOff = whenPatienceEnds(patience, clock, () => this.#awaited(), giveUp);
      void this.start().then(resolve, reject).finally(callOff);
    });
  }

  async #goOn(first: Outcome<T> | Promise<Outcome<T>>): Promise<T> {
    try {
      const outcome = await first;
      if (!(outcome instanceof Setback)) return outcome;
      return await retryLoop("the transaction", this.#manner.attempts, outcome, () => this.#play());
    } finally {
      this.#contender?.release();
    }
  }

  // One attempt.

  #play(): Outcome<T> | Promise<Outcome<T>> {
    if (this.#calledOff !== undefined) throw this.#calledOff.reason;
    const attempt = this.#begin();
    this.#attempt = attempt;
    this.#sleeper = undefined;
    let returned: T | PromiseLike<T>;
    try {
      returned = runIn(attempt, this.#block as (tx: Block) => T | PromiseLike<T>);
    } catch (error) {
      return this.#thrown(attempt, error);
    }
    if (!isPromise(returned)) return this.#returned(attempt, returned);
    attempt.outlastTurn();
    return this.#later(attempt, returned);
  }

  #begin(): Block {
    const { discipline, isLocking, isReadOnly } = this.#manner;
    if (isLocking) return new LockingBlock(this.#space, discipline, this);
    return new OptimisticBlock(this.#space, discipline, isReadOnly);
  }

  async #later(attempt: Block, returned: PromiseLike<T>): Promise<Outcome<T>> {
    let value: T;
    try {
      value = await returned;
    } catch (error) {
      return this.#thrown(attempt, error);
    }
    return this.#returned(attempt, value);
  }

  #returned(attempt: Block, value: T): Outcome<T> | Promise<Outcome<T>> {
    attempt.close();
    const { leaving, misuse } = attempt;
    if (leaving !== undefined || misuse !== undefined) return this.#left(attempt, leaving);
    const mustWait = attempt.isWaiting || attempt.mustLock(this.#contender);
    return mustWait ? this.#lockAndCommit(attempt, value) : this.#commit(attempt, value);
  }

  /** Where others have locks, it must have its own before it may write. */
  async #lockAndCommit(attempt: Block, value: T): Promise<Outcome<T>> {
    attempt.outlastTurn();
    try {
      await attempt.locked();
      const contender = this.contender();
      // Who has lost already, or is over, need not wait for that.
      while (!isOver(attempt) && attempt.mustLock(contender) && attempt.firstObstacle() === undefined) {
        for (const { on, span } of attempt.lockedByOthers(contender)) {
          const wait = contender.lock(on, span, true);
          if (wait !== undefined) await wait;
          if (isOver(attempt)) break;
        }
      }
    } catch (error) {
      return this.#thrown(attempt, error);
    }
    return this.#commit(attempt, value);
  }

  /** Nothing is awaited between the check and the publication: nobody can commit in between. */
  #commit(attempt: Block, value: T): Outcome<T> {
    if (attempt.isOver) return this.#left(attempt, attempt.leaving);
    if (attempt.isTooOld && !attempt.isIdle) return this.#thrown(attempt, snapshotTooOld());
    if (!attempt.isIdle) {
      const obstacle = attempt.firstObstacle();
      if (obstacle !== undefined) return this.#left(attempt, attempt.lose(obstacle));
      // To look for it may have called predicates of the program's own, and they anything.
      if (isOver(attempt)) return this.#left(attempt, attempt.leaving);
      attempt.publish();
    }
    this.#isDone = true;
    this.#contender?.release();
    attempt.committed();
    return value;
  }

  #thrown(attempt: Block, error: unknown): Setback {
    const leaving = attempt.leaving ?? (error instanceof Leaving ? error : undefined);
    if (leaving !== undefined) return this.#left(attempt, leaving);
    this.#contender?.release();
    attempt.rolledBack();
    throw attempt.misuse ?? attempt.explained(error);
  }

  // What becomes of an attempt that came to nothing.

  #left(attempt: Block, leaving: Leaving | undefined): Setback {
    // Before anybody is told that it was rolled back, and may change what it has read.
    const sleeper = leaving === retry ? attempt.sleep() : undefined;
    if (leaving instanceof Conflict) this.#planAfter(attempt, leaving);
    else if (leaving instanceof GaveWay) this.contender().plan(attempt.wantsToWrite());
    // Tickets are kept for the next attempt; what is firm would bar what is called back on a rollback.
    if (this.#manner.isFirm || !(leaving instanceof Conflict)) this.#contender?.release();
    attempt.rolledBack();
    if (this.#calledOff !== undefined || attempt.misuse !== undefined) {
      sleeper?.wake();
      throw this.#calledOff === undefined ? attempt.misuse : this.#calledOff.reason;
    }
    const why = leaving!.message;
    if (leaving === retry) {
      if (attempt.reads.size === 0) throw nothingToWaitFor();
      this.#sleeper = sleeper;
      return new Setback(why, false, () => sleeper && delivered(sleeper.awake, "a change", this.#space));
    }
    return new Setback(why, true, () => this.#prepare());
  }

  #planAfter(attempt: Block, { at }: Conflict): void {
    const contender = this.contender();
    if (at instanceof Cell) {
      at.heatUp();
      contender.plan([{ ...at.place, isExclusive: true }]);
    } else contender.plan(at.wants());
    if (++this.#conflicts < conflictsBeforeAll) return;
    contender.plan(attempt.wantsToWrite());
    contender.plan(attempt.wantsToRead());
  }

  async #prepare(): Promise<void> {
    const contender = this.contender();
    for (;;) {
      if (this.#calledOff !== undefined) throw this.#calledOff.reason;
      try {
        await contender.prepare();
        return;
      } catch (error) {
        if (!(error instanceof GaveWay)) throw error;
        contender.release();
      }
    }
  }

  /** What somebody whose patience has ended hears. */
  #awaited(): string {
    const claim = this.#contender?.waiting;
    if (claim !== undefined) return `a transaction, which is waiting for the lock of ${claim.on.what}`;
    if (this.#sleeper !== undefined) return "a transaction, which has called tx.retry() and sleeps";
    return "a transaction, whose block is still running";
  }

  contender(): Contender {
    const { isFirm, isSorted } = this.#manner;
    return (this.#contender ??= new Contender(this.#born, isFirm, isSorted));
  }

  /** The caller has gone. Whatever its block still does comes to nothing, and nobody waits for it. */
  #callOff(reason: unknown): void {
    const calledOff = new CalledOff(reason);
    this.#calledOff = calledOff;
    if (this.#attempt !== undefined) {
      this.#attempt.leaving = calledOff;
      this.#attempt.rolledBack();
    }
    this.#sleeper?.wake();
    this.#contender?.withdraw(calledOff);
    this.#contender?.release();
  }
}

/** Asked anew each time: its caller may go at any moment. */
function isOver(attempt: Block): boolean {
  return attempt.isOver;
}

function nothingToWaitFor(): LockstepError {
  return new LockstepError(
    "misuse",
    "tx.retry() waits for a change of something that the transaction has read, and it has read nothing",
  );
}
