import { LockstepError } from "../base/errors.js";
import type { Clock } from "../base/clock.js";
import type { Patience } from "../base/patience.js";
import type { Held, Lender } from "../sync/held.js";
import { Permits, Want } from "../sync/permits.js";
import type { Liveness } from "./liveness.js";
import { Roster, RowState } from "./roster.js";

// The words of the roster's head.
const totalAt = 0;
const poisonedAt = 1;

const oneTurn = new Want();

/**
 * So many permits, and the line of threads that wait for some: what semaphores and read-write locks are made
 * of. First come, first served, and whoever comes first is not overtaken, however much it wants.
 *
 * Whoever is first is granted its permits by the thread that gives back the last of them, and only then
 * woken; so a wake-up that is lost is no grant lost: the next look finds it. One who gives up finds out,
 * inside of the lock of the roster, whether it was granted just before, and gives that back.
 *
 * A thread stands in line once for all its tasks that await. When it blocks, those step aside until it goes
 * on, for what they are granted meanwhile they could not give back.
 */
export class PermitLine implements Lender {
  static readonly bytes = Roster.bytes;

  readonly what: string;
  readonly #roster: Roster;
  /** Who dies with so much leaves what it guarded half written. */
  readonly #poisonWeight: number;
  /** The tasks of this thread, of which the first stands in line for all. */
  readonly #turn: Permits;
  /** How many of them have no row yet, but come first. Between turn and row nothing else runs here. */
  #tasksToCome = 0;

  constructor(
    memory: SharedArrayBuffer,
    liveness: Liveness,
    clock: Clock,
    what: string,
    poisonWeight = Infinity,
  ) {
    this.what = what;
    this.#roster = new Roster(memory, liveness, clock, what);
    this.#poisonWeight = poisonWeight;
    this.#turn = new Permits(what, 1, clock);
  }

  get total(): number {
    return this.#roster.own(totalAt);
  }

  /** Says how many permits there are: once, before any other thread knows of the line. */
  set total(total: number) {
    this.#roster.setOwn(totalAt, total);
  }

  /** How many permits are free, though others may wait for more. */
  get free(): number {
    return this.#roster.exclusively(() => {
      this.#strikeOutDead();
      return this.#free();
    });
  }

  /** Takes permits that are free, unless others wait for them who come first. */
  tryTake(weight: number): boolean {
    if (this.#tasksToCome > 0) return false;
    return this.#roster.exclusively(
      () => this.#takeFree(weight) || (this.#strikeOutDead() && this.#takeFree(weight)),
    );
  }

  /** Takes permits, or blocks until it can. A thread that holds some goes first: others may wait for it. */
  takeSync(weight: number, timeoutMs?: number): void {
    const row = this.#roster.exclusively(() => {
      return this.#takeFree(weight) ? undefined : this.#joinBlocking(weight);
    });
    if (row !== undefined) this.#block(row, timeoutMs);
  }

  /** Takes what a reader lacks to be the writer, before all others, for they wait for it to leave. */
  upgradeSync(timeoutMs?: number): void {
    const weight = this.total - 1;
    const row = this.#roster.exclusively(() => {
      this.#refuseSecondUpgrade();
      return this.#joinBlocking(weight);
    });
    this.#block(row, timeoutMs);
  }

  /** Takes permits, or waits for them. The patience must have been checked. */
  async take(weight: number, patience: Patience): Promise<void> {
    if (this.tryTake(weight)) return;
    const { clock } = this.#roster;
    const begunAt = clock.now();
    let turn: Held;
    this.#tasksToCome++;
    try {
      turn = this.#turn.tryTake(oneTurn) ?? (await this.#turn.take(oneTurn, patience));
    } finally {
      this.#tasksToCome--;
    }
    using _turn = turn;
    const { signal, timeoutMs } = patience;
    signal?.throwIfAborted();
    const leftMs = timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - (clock.now() - begunAt));
    await this.#standInLine(weight, { signal, timeoutMs: leftMs }, () => this.#roster.nextTicket());
  }

  /** Awaits what a reader lacks to be the writer, before all others, for they wait for it to leave. */
  async upgrade(patience: Patience): Promise<void> {
    await this.#standInLine(this.total - 1, patience, () => {
      this.#refuseSecondUpgrade();
      return this.#roster.firstTicket();
    });
  }

  /** Takes permits back that this thread holds. */
  takeBack(weight: number): void {
    this.#roster.exclusively(() => {
      const row = this.#holding();
      if (row === undefined) return;
      const left = this.#roster.weightOf(row) - weight;
      if (left > 0) this.#roster.setWeight(row, left);
      else this.#roster.setState(row, RowState.empty);
      this.#serve();
    });
  }

  /** Takes all permits over from a thread that died and left things half written; false when none did. */
  tryRecover(): boolean {
    return this.#roster.exclusively(() => {
      this.#strikeOutDead();
      if (this.#roster.own(poisonedAt) === 0) return false;
      // In this order: if this thread dies in between, it dies with all permits.
      this.#hold(this.total);
      this.#roster.setOwn(poisonedAt, 0);
      return true;
    });
  }

  #block(row: number, timeoutMs: number | undefined): void {
    try {
      this.#roster.futexOf(row).waitSync(() => this.#attempt(row), timeoutMs, this.what);
    } catch (error) {
      this.#withdraw(row);
      throw error;
    } finally {
      this.#comeBack();
    }
  }

  async #standInLine(weight: number, patience: Patience, ticket: () => number): Promise<void> {
    const row = this.#roster.exclusively(() => this.#join(weight, ticket()));
    try {
      await this.#roster.futexOf(row).wait(() => this.#attempt(row), patience, this.what);
    } catch (error) {
      this.#withdraw(row);
      throw error;
    }
  }

  // From here on all but #attempt, #withdraw and #comeBack runs inside of `exclusively`.

  #free(): number {
    return this.total - this.#roster.taken();
  }

  #takeFree(weight: number): boolean {
    this.#admit();
    if (this.#roster.first() !== undefined || this.#free() < weight) return false;
    this.#hold(weight);
    return true;
  }

  /** The row of all that this thread holds. */
  #holding(): number | undefined {
    return this.#roster.rows(RowState.holds, this.#roster.self)[0];
  }

  #hold(weight: number): void {
    const row = this.#holding();
    if (row === undefined) this.#roster.add(RowState.holds, weight, 0);
    else this.#roster.setWeight(row, this.#roster.weightOf(row) + weight);
  }

  /** Stands in line, and has those rows step aside. */
  #join(weight: number, ticket: number, aside: readonly number[] = []): number {
    this.#admit();
    const row = this.#roster.add(RowState.waits, weight, ticket);
    // Not before, for after what throws nobody would let them come back.
    for (const each of aside) this.#roster.setState(each, RowState.stepsAside);
    this.#serve();
    return row;
  }

  #joinBlocking(weight: number): number {
    const holding = this.#holding();
    const held = holding === undefined ? 0 : this.#roster.weightOf(holding);
    if (weight > this.total - held) {
      throw new LockstepError(
        "misuse",
        `this very thread holds what it would wait for, and so for ever, of ${this.what}; release it first`,
      );
    }
    const states = [RowState.waits, RowState.granted];
    const tasks = states.flatMap((state) => this.#roster.rows(state, this.#roster.self));
    return this.#join(weight, held > 0 ? this.#roster.firstTicket() : this.#roster.nextTicket(), tasks);
  }

  /** Lets the tasks that stepped aside stand in line again, where they stood. */
  #comeBack(): void {
    this.#roster.exclusively(() => {
      for (const row of this.#roster.rows(RowState.stepsAside, this.#roster.self)) {
        this.#roster.setState(row, RowState.waits);
      }
      this.#serve();
    });
  }

  /** One step of waiting. */
  #attempt(row: number): true | undefined {
    const roster = this.#roster;
    return roster.exclusively(() => {
      if (roster.stateOf(row) !== RowState.granted) this.#strikeOutDead();
      if (roster.stateOf(row) !== RowState.granted) {
        this.#refusePoisoned();
        return undefined;
      }
      const holding = this.#holding();
      if (holding === undefined) {
        roster.setState(row, RowState.holds);
      } else {
        roster.setWeight(holding, roster.weightOf(holding) + roster.weightOf(row));
        roster.setState(row, RowState.empty);
      }
      return true;
    });
  }

  /** Leaves the line, and gives back what was granted just before. */
  #withdraw(row: number): void {
    this.#roster.exclusively(() => {
      this.#roster.tell(row, RowState.empty);
      this.#serve();
    });
  }

  /** Grants what can be granted. */
  #serve(): void {
    if (this.#roster.own(poisonedAt) !== 0) return;
    for (let first = this.#roster.first(); first !== undefined; first = this.#roster.first()) {
      if (this.#roster.weightOf(first) > this.#free()) return;
      this.#roster.tell(first, RowState.granted);
    }
  }

  /** Makes room for a row, and throws when what is guarded may be half written. */
  #admit(): void {
    if (this.#roster.isFull) this.#strikeOutDead();
    this.#refusePoisoned();
  }

  /** What the dead hold is free again, unless one of them may have left things half written. */
  #strikeOutDead(): boolean {
    const found = this.#roster.strikeOutDead((row) => {
      const isHeld = this.#roster.stateOf(row) === RowState.holds;
      if (isHeld && this.#roster.weightOf(row) >= this.#poisonWeight) this.#roster.setOwn(poisonedAt, 1);
    });
    if (!found) return false;
    this.#serve();
    if (this.#roster.own(poisonedAt) !== 0) {
      for (const row of this.#roster.rows(RowState.waits)) this.#roster.tell(row, RowState.waits);
    }
    return true;
  }

  #refuseSecondUpgrade(): void {
    const weight = this.total - 1;
    const waiting = [RowState.waits, RowState.stepsAside].flatMap((state) => this.#roster.rows(state));
    if (!waiting.some((row) => this.#roster.weightOf(row) === weight)) return;
    throw new LockstepError(
      "misuse",
      "another reader is being upgraded, and each would wait for the other to stop reading; " +
        "release this one and acquire the lock to write, then look again at what was read",
    );
  }

  #refusePoisoned(): void {
    if (this.#roster.own(poisonedAt) === 0) return;
    throw new LockstepError(
      "lost",
      `a thread died while it held ${this.what} to write, and may have left what it guards half written; ` +
        `recover() takes it over for whoever mends that`,
    );
  }
}
