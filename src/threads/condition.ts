import type { Clock } from "../base/clock.js";
import { isLockstepError, LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { Held } from "../sync/held.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import { Mutex } from "./mutex.js";
import type { OpenOptions } from "./open-options.js";
import { Roster, RowState } from "./roster.js";

/** What opens a condition in another thread, together with its mutex. */
export interface ConditionHandle extends Handle<"condition"> {
  readonly name: string | undefined;
  readonly mutexNumber: number;
}

/** One who has given the mutex up until it is called. */
interface Sleeper {
  readonly held: Held;
  /** Its place in line, until it has left that. */
  row: number | undefined;
}

/**
 * Waits, inside a mutex, for something that other threads bring about inside the same mutex. The wait gives
 * the mutex up, and takes it again before it ends, however it ends: the same `held` is good after it as
 * before.
 *
 *     using held = mutex.lockSync();
 *     condition.waitUntilSync(held, () => count[0] > 0);
 *
 * *Fairness*: first come, first woken. Who is woken then competes for the mutex like anybody else, so what it
 * was woken for may be gone again: look again, or let `waitUntil` do it.
 *
 * *Cancellation*: one who gives up takes no call from the others. It takes the mutex again before it rejects,
 * however long that may last.
 *
 * *Failure*: who is woken, and does not get the mutex, passes the call on to the next: a thread that dies
 * before, and one that finds the mutex lost with another thread. Its wait then ends with 'lost', and without
 * the mutex.
 */
export class Condition {
  /** Opens the same condition in another thread, by `Condition.from`. */
  readonly handle: ConditionHandle;
  readonly #mutex: Mutex;
  readonly #clock: Clock;
  readonly #roster: Roster;

  constructor(mutex: Mutex, options: LockOptions = {}, /** @internal */ handle?: ConditionHandle) {
    const { what, clock } = checkLockOptions("condition", options);
    if (!(mutex instanceof Mutex)) {
      throw new LockstepError("bad-input", `${what} needs its mutex, as in new Condition(mutex)`);
    }
    this.handle = handle ?? newHandle(mutex, options);
    this.#mutex = mutex;
    this.#clock = clock;
    const { memory, threads } = this.handle;
    this.#roster = new Roster(memory, Liveness.of(threads), clock, what);
  }

  /** The condition of that handle, and the mutex that it belongs to. */
  static from(handle: ConditionHandle, mutex: Mutex, options: OpenOptions = {}): Condition {
    checkHandle("condition", handle, Roster.bytes);
    checkOptions(options, ["clock"]);
    const condition = new Condition(mutex, { name: handle.name, clock: options.clock }, handle);
    if (mutex.number === handle.mutexNumber) return condition;
    throw new LockstepError(
      "bad-input",
      "the condition was made with another mutex: open that one too, and use Condition.from(handle, mutex)",
    );
  }

  /** Gives the mutex up, blocks the thread until it is woken, and takes the mutex again: in workers. */
  waitSync(held: Held, patience?: SyncPatience): void {
    Futex.checkMayBlock(patience, "await condition.wait(held)");
    this.#check(held);
    this.#sleepSync(held, patience?.timeoutMs);
  }

  /**
   * Blocks the thread until the predicate is true, which is only asked while the mutex is held: at once, each
   * time that the wait is woken, and once more when the time is up. In workers.
   *
   * *Failure*: throws what the predicate throws, 'bad-input' when it says neither true nor false, as one that
   * is async does, and 'misuse' when it ended the hold.
   */
  waitUntilSync(held: Held, predicate: () => boolean, patience?: SyncPatience): void {
    Futex.checkMayBlock(patience, "await condition.waitUntil(held, predicate)");
    checkPredicate(predicate);
    this.#check(held);
    const leftMs = this.#countdown(patience?.timeoutMs);
    while (!this.#says(predicate, held)) {
      try {
        this.#sleepSync(held, leftMs());
      } catch (error) {
        if (isLockstepError(error, "timeout") && held.isHeld && this.#says(predicate, held)) return;
        throw error;
      }
    }
  }

  /** Gives the mutex up, waits to be woken, and takes it again. */
  async wait(held: Held, patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    this.#check(held);
    await this.#sleep(held, patience ?? {});
  }

  /**
   * Waits until the predicate is true, which is only asked while the mutex is held: at once, each time that
   * the wait is woken, and once more when the patience ends. The patience is for the whole of it.
   *
   * *Failure*: rejects with what the predicate throws, with 'bad-input' when it says neither true nor false,
   * as one that is async does, and with 'misuse' when it ended the hold.
   */
  async waitUntil(held: Held, predicate: () => boolean, patience: Patience = {}): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    checkPredicate(predicate);
    this.#check(held);
    const { signal, timeoutMs } = patience;
    const leftMs = this.#countdown(timeoutMs);
    while (!this.#says(predicate, held)) {
      signal?.throwIfAborted();
      try {
        await this.#sleep(held, { signal, timeoutMs: leftMs() });
      } catch (error) {
        if (held.isHeld && this.#says(predicate, held)) return;
        throw error;
      }
    }
  }

  /** Wakes the one who came first, if anybody waits. One need not hold the mutex. */
  notifyOne(): void {
    this.#notify(1);
  }

  /** Wakes all who wait now; they have the mutex one after the other. One need not hold the mutex. */
  notifyAll(): void {
    this.#notify(Infinity);
  }

  #notify(count: number): void {
    this.#roster.exclusively(() => {
      this.#strikeOutDead();
      this.#wake(count);
    });
  }

  #sleepSync(held: Held, timeoutMs: number | undefined): void {
    if (timeoutMs === 0) throw this.#tooLate();
    const row = this.#lieDown(held);
    const sleeper: Sleeper = { held, row };
    try {
      this.#roster.futexOf(row).waitSync(() => this.#attempt(row), timeoutMs, this.#roster.what);
    } catch (error) {
      this.#getUp(sleeper);
      throw error;
    } finally {
      try {
        this.#mutex.word.lockSync();
        held.lendAgain(this.#mutex);
      } finally {
        this.#getUp(sleeper);
      }
    }
  }

  async #sleep(held: Held, patience: Patience): Promise<void> {
    if (patience.timeoutMs === 0) throw this.#tooLate();
    const row = this.#lieDown(held);
    const sleeper: Sleeper = { held, row };
    try {
      await this.#roster.futexOf(row).wait(() => this.#attempt(row), patience, this.#roster.what);
    } catch (error) {
      this.#getUp(sleeper);
      throw error;
    } finally {
      try {
        await this.#mutex.word.lock({});
        held.lendAgain(this.#mutex);
      } finally {
        this.#getUp(sleeper);
      }
    }
  }

  /** In line first and then out of the mutex: whoever notifies inside the mutex finds it there. */
  #lieDown(held: Held): number {
    const row = this.#roster.exclusively(() => {
      if (this.#roster.isFull) this.#strikeOutDead();
      return this.#roster.add(RowState.waits, 1, this.#roster.nextTicket());
    });
    held.release();
    return row;
  }

  /**
   * Leaves the line, once. Only with the mutex has one used a call, and not before: if its thread died in
   * between, others would find no trace of the call.
   */
  #getUp(sleeper: Sleeper): void {
    const { held, row } = sleeper;
    if (row === undefined) return;
    sleeper.row = undefined;
    // Without the lock: nobody else changes a row that has been called.
    if (held.isHeld) this.#roster.setState(row, RowState.empty);
    else this.#roster.exclusively(() => this.#withdraw(row));
  }

  /** Leaves the line, uncalled; a call that came too late for this one is for the next. */
  #withdraw(row: number): void {
    const isUnused = this.#roster.stateOf(row) === RowState.granted;
    this.#roster.tell(row, RowState.empty);
    if (isUnused) this.#wake(1);
  }

  #attempt(row: number): true | undefined {
    if (!this.#isCalled(row)) this.#roster.exclusively(() => this.#strikeOutDead());
    return this.#isCalled(row) ? true : undefined;
  }

  #isCalled(row: number): boolean {
    return this.#roster.stateOf(row) === RowState.granted;
  }

  #wake(count: number): void {
    for (let woken = 0; woken < count; woken++) {
      const first = this.#roster.first();
      if (first === undefined) return;
      this.#roster.tell(first, RowState.granted);
    }
  }

  /** The calls that the dead have not used are for the next. */
  #strikeOutDead(): void {
    let unused = 0;
    this.#roster.strikeOutDead((row) => {
      if (this.#roster.stateOf(row) === RowState.granted) unused++;
    });
    this.#wake(unused);
  }

  #check(held: Held): void {
    if (!(held instanceof Held)) {
      throw new LockstepError(
        "bad-input",
        `${this.#roster.what} needs what holds its mutex, as in condition.wait(held)`,
      );
    }
    if (held.isLentBy(this.#mutex)) return;
    throw new LockstepError(
      "misuse",
      `${this.#roster.what} is waited for with its mutex held: acquire the mutex object that it was ` +
        `given, and pass on what you get`,
    );
  }

  /** What the predicate says. It runs with the mutex held, and must leave it so. */
  #says(predicate: () => boolean, held: Held): boolean {
    const { what } = this.#roster;
    const answer = predicate();
    if (!held.isLentBy(this.#mutex)) {
      throw new LockstepError("misuse", `the predicate of ${what} ended the hold; let it only look`);
    }
    if (typeof answer === "boolean") return answer;
    const message = `the predicate of ${what} must say true or false at once, not ${String(answer)}`;
    throw new LockstepError("bad-input", message);
  }

  #countdown(timeoutMs: number | undefined): () => number | undefined {
    if (timeoutMs === undefined) return () => undefined;
    const endsAt = this.#clock.now() + timeoutMs;
    return () => Math.max(0, endsAt - this.#clock.now());
  }

  #tooLate(): LockstepError {
    return new LockstepError(
      "timeout",
      `waited in vain for ${this.#roster.what}, for all the time that there was`,
    );
  }
}

function checkPredicate(predicate: unknown): void {
  if (typeof predicate === "function") return;
  throw new LockstepError(
    "bad-input",
    "waitUntil needs a predicate, as in condition.waitUntil(held, () => count[0] > 0)",
  );
}

function newHandle(mutex: Mutex, { name }: LockOptions): ConditionHandle {
  return makeHandle("condition", allocate(Roster.bytes), Liveness.here, { name, mutexNumber: mutex.number });
}
