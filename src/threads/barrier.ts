import { isLockstepError, LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import type { Trip } from "../sync/barrier-generation.js";
import { checkCount } from "../sync/check-count.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";
import { Roster, RowState } from "./roster.js";

// The words of the roster's head. The second holds the number of the generation, shifted, and whether it is
// broken: one word, so that all who wait go on, or fail, by one step.
const partiesAt = 0;
const generationAt = 1;
const broken = 1;
const generationShift = 1;

/** The weight of one who waits when the barrier is reset under it. */
const resetWeight = 1;
/** A party may need two rows of the roster: the one by which it is remembered, and one to wait. */
const mostParties = 256;

/** What opens a barrier in another thread. */
export interface BarrierHandle extends Handle<"barrier"> {
  readonly name: string | undefined;
}

/** One who has arrived before the others. */
interface Arrival {
  readonly row: number;
  readonly generation: number;
  /** Until it has gone on, or has been told that it cannot. */
  waits: boolean;
}

/**
 * Where so many parties wait for each other, again and again: work in phases, each of which begins when all
 * have ended the one before. A party is a thread, or a task of one.
 *
 * *Fairness*: all go on together. The last to arrive is the leader.
 *
 * *Cancellation*: those who wait rely on each other. One who gives up breaks the barrier, unless all have
 * arrived just then. With a `timeoutMs` of 0 one arrives only as the last, and otherwise changes nothing.
 *
 * *Failure*: it breaks when a thread ends that has waited here before, in whatever phase, for the others
 * might wait for it for ever. Then all who wait reject with 'lost', and so does whoever comes, until it is
 * reset: which is also how other threads can take over from those that are done.
 */
export class Barrier {
  /** Opens the same barrier in another thread, by `Barrier.from`. */
  readonly handle: BarrierHandle;
  readonly #roster: Roster;
  readonly #futex: Futex;

  constructor(parties: number, options: LockOptions = {}, /** @internal */ handle?: BarrierHandle) {
    const { what, clock } = checkLockOptions("barrier", options);
    if (handle === undefined) checkParties(parties);
    this.handle =
      handle ?? makeHandle("barrier", allocate(Roster.bytes), Liveness.here, { name: options.name });
    this.#roster = new Roster(this.handle.memory, Liveness.of(this.handle.threads), clock, what);
    this.#futex = this.#roster.ownFutex(generationAt);
    if (handle === undefined) this.#roster.setOwn(partiesAt, parties);
  }

  /** The barrier of that handle. */
  static from(handle: BarrierHandle, options: OpenOptions = {}): Barrier {
    checkHandle("barrier", handle, Roster.bytes);
    checkOptions(options, ["clock"]);
    return new Barrier(0, { name: handle.name, clock: options.clock }, handle);
  }

  /** How many must arrive. */
  get parties(): number {
    return this.#roster.own(partiesAt);
  }

  /** How many of them have arrived. */
  get arrived(): number {
    return this.#roster.exclusively(() => this.#arrived().length);
  }

  /** The number of the generation that arrives now; the first is 0. */
  get generation(): number {
    return this.#roster.own(generationAt) >>> generationShift;
  }

  /** Whether it must be reset before anybody can arrive. */
  get isBroken(): boolean {
    return (this.#roster.own(generationAt) & broken) !== 0;
  }

  /** Arrives, and blocks the thread until all others have: in workers. */
  waitSync(patience?: SyncPatience): Trip {
    Futex.checkMayBlock(patience, "await barrier.wait()");
    const arrival = this.#arrive(patience?.timeoutMs);
    if ("trip" in arrival) return arrival.trip;
    try {
      return this.#futex.waitSync(() => this.#attempt(arrival), patience?.timeoutMs, this.#roster.what);
    } catch (error) {
      return this.#giveUp(arrival, error);
    }
  }

  /** Arrives, and waits for all others. */
  async wait(patience?: Patience): Promise<Trip> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    const arrival = this.#arrive(patience?.timeoutMs);
    if ("trip" in arrival) return arrival.trip;
    try {
      return await this.#futex.wait(() => this.#attempt(arrival), patience ?? {}, this.#roster.what);
    } catch (error) {
      return this.#giveUp(arrival, error);
    }
  }

  /**
   * Begins again, with all parties still to arrive, be they the same or others. Those who wait get 'lost'.
   */
  reset(): void {
    const roster = this.#roster;
    roster.exclusively(() => {
      for (const row of this.#arrived()) roster.setWeight(row, resetWeight);
      for (const row of roster.rows(RowState.holds)) roster.setState(row, RowState.empty);
      this.#begin(this.generation + 1);
    });
  }

  #arrive(timeoutMs?: number): { trip: Trip } | Arrival {
    const roster = this.#roster;
    return roster.exclusively(() => {
      this.#strikeOutDead();
      if (this.isBroken) throw this.#brokenError();
      const { generation } = this;
      const isLeader = this.#arrived().length + 1 === this.parties;
      if (!isLeader && timeoutMs === 0) {
        throw new LockstepError("timeout", `not all others have arrived at ${roster.what}`);
      }
      if (roster.rows(RowState.holds, roster.self).length === 0) roster.add(RowState.holds, 0, 0);
      if (!isLeader) return { row: roster.add(RowState.waits, 0, generation), generation, waits: true };
      this.#begin(generation + 1);
      return { trip: { generation, isLeader } };
    });
  }

  /** One step of waiting. */
  #attempt(arrival: Arrival): Trip | undefined {
    // Without the lock, which all others want just then: to go on one touches nothing but one's own row.
    if (this.generation !== arrival.generation) return this.#goOn(arrival);
    return this.#roster.exclusively(() => {
      this.#strikeOutDead();
      if (this.generation !== arrival.generation) return this.#goOn(arrival);
      if (!this.isBroken) return undefined;
      this.#leave(arrival);
      throw this.#brokenError();
    });
  }

  /** Breaks the barrier, unless it has let all go on just then. */
  #giveUp(arrival: Arrival, error: unknown): Trip {
    return this.#roster.exclusively(() => {
      if (!arrival.waits) throw error;
      if (this.generation !== arrival.generation) {
        const trip = this.#goOn(arrival);
        if (isLockstepError(error, "timeout")) return trip;
      } else {
        this.#leave(arrival);
        this.#break();
      }
      throw error;
    });
  }

  // From here on all runs inside of `exclusively`.

  /** Those who wait for this generation; of an earlier one some may not have gone on yet. */
  #arrived(): number[] {
    const { generation } = this;
    const rows = this.#roster.rows(RowState.waits);
    return rows.filter((row) => this.#roster.ticketOf(row) === generation);
  }

  #goOn(arrival: Arrival): Trip {
    const { row, generation } = arrival;
    const isReset = this.#roster.weightOf(row) === resetWeight;
    this.#leave(arrival);
    if (!isReset) return { generation, isLeader: false };
    throw new LockstepError("lost", `${this.#roster.what} was reset before all had arrived; arrive again`);
  }

  #leave(arrival: Arrival): void {
    arrival.waits = false;
    this.#roster.setState(arrival.row, RowState.empty);
  }

  #begin(generation: number): void {
    this.#roster.tellOwn(generationAt, generation << generationShift);
  }

  #break(): void {
    this.#roster.tellOwn(generationAt, this.#roster.own(generationAt) | broken);
  }

  #strikeOutDead(): void {
    const { generation } = this;
    this.#roster.strikeOutDead((row) => {
      const isDone =
        this.#roster.stateOf(row) === RowState.waits && this.#roster.ticketOf(row) !== generation;
      if (!isDone) this.#break();
    });
  }

  #brokenError(): LockstepError {
    return new LockstepError(
      "lost",
      `${this.#roster.what} is broken, for one of its parties died or gave up: reset it, and let all ` +
        `arrive again`,
    );
  }
}

function checkParties(parties: number): void {
  checkCount("parties", parties);
  if (parties <= mostParties) return;
  throw new LockstepError("bad-input", `parties must be at most ${mostParties}, not ${parties}`);
}
