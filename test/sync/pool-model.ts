// What a pool ought to do, written as plainly as possible: lists, no timers, no promises.
import type { PoolHook } from "lockstep/sync";

export type Manner = "absent" | "at once" | "later";

export interface Setting {
  readonly min: number;
  readonly max: number;
  readonly idleTimeoutMs: number | undefined;
  readonly hookTimeoutMs: number;
  readonly manners: Readonly<Record<PoolHook, Manner>>;
  /** Whether make gives up when its signal aborts. */
  readonly heedsSignal: boolean;
  /** How each call of a hook that answers at once goes, by the number of the call or resource. */
  readonly goesWell: (hook: PoolHook, number: number) => boolean;
}

/** Of the checks that do not go well, some say no and others throw. */
export const saysNo = (hook: PoolHook, id: number) => hook === "check" && id % 2 === 0;

/** A hook that is running. */
export interface Run {
  readonly hook: PoolHook;
  readonly id: number;
  readonly deadline: number;
  isLate: boolean;
}

interface Waiter {
  readonly number: number;
  readonly deadline: number;
}

export class PoolModel {
  now = 0;
  shelf: { id: number; since: number }[] = [];
  readonly lent = new Set<number>();
  line: Waiter[] = [];
  runs: Run[] = [];
  isClosed = false;
  /** What became of each who acquired: a resource, or the reason of the refusal. */
  readonly outcomes = new Map<number, string>();
  /** Each resource that was given to destroy, and each error that nobody was told. */
  readonly destroyed: number[] = [];
  readonly reports: string[] = [];
  #made = 0;
  #isFailing = false;
  #isGone = false;
  readonly #setting: Setting;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#goOn();
  }

  get coming(): number {
    return this.runs.filter(({ hook, isLate }) => hook !== "destroy" && !isLate).length;
  }

  get size(): number {
    return this.lent.size + this.shelf.length + this.coming;
  }

  /** Whether it was ever over: one that is made too late changes nothing about that. */
  get isGone(): boolean {
    this.#isGone ||= this.isClosed && this.size === 0 && !this.runs.some(({ isLate }) => !isLate);
    return this.#isGone;
  }

  acquire(number: number, timeoutMs: number | undefined): void {
    if (this.isClosed) this.outcomes.set(number, "closed");
    else if (timeoutMs === 0) this.tryAcquire(number, "timeout");
    else {
      this.line.push({ number, deadline: this.now + (timeoutMs ?? Infinity) });
      this.#goOn();
    }
  }

  tryAcquire(number: number, otherwise = "null"): void {
    if (this.isClosed) {
      this.outcomes.set(number, "closed");
      return;
    }
    this.outcomes.set(number, otherwise);
    if (this.line.length > 0) return;
    const found = this.#find();
    if (typeof found === "number") this.#lend(number, found);
    if (typeof found === "string") this.outcomes.set(number, found);
    this.#goOn();
  }

  giveUp(number: number, reason: string): void {
    if (!this.line.some((waiter) => waiter.number === number)) return;
    this.line = this.line.filter((waiter) => waiter.number !== number);
    this.outcomes.set(number, reason);
  }

  release(id: number): void {
    this.lent.delete(id);
    const answer = this.isClosed || this.#call("recycle", id);
    if (answer !== "later") this.#recycled(id, answer);
  }

  discard(id: number): void {
    this.lent.delete(id);
    this.#destroy(id);
    this.#goOn();
  }

  close(): void {
    this.isClosed = true;
    for (const { number } of this.line) this.outcomes.set(number, "closed");
    this.line = [];
    if (this.#setting.heedsSignal) this.runs = this.runs.filter(({ hook }) => hook !== "make");
    for (const { id } of this.shelf) this.#destroy(id);
    this.shelf = [];
  }

  /** A hook comes to its end. */
  end(run: Run, isWell: boolean): void {
    this.runs = this.runs.filter((other) => other !== run);
    if (!run.isLate) this.#ended(run, isWell, `${run.hook} ${run.id}`);
    else if (run.hook === "make" && isWell) this.#destroy(run.id);
  }

  passTime(byMs: number): void {
    const until = this.now + byMs;
    for (;;) {
      const moments = [
        ...this.line.map(({ deadline }) => deadline),
        ...this.runs.filter(({ isLate }) => !isLate).map(({ deadline }) => deadline),
        this.#idleDeadline,
      ];
      const next = Math.min(...moments);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      this.#onTime();
    }
    this.now = until;
  }

  get #idleDeadline(): number {
    const { idleTimeoutMs = Infinity, min } = this.#setting;
    return this.shelf.length > 0 && this.size > min ? this.shelf[0]!.since + idleTimeoutMs : Infinity;
  }

  #onTime(): void {
    const waiter = this.line.find(({ deadline }) => deadline <= this.now);
    const run = this.runs.find(({ deadline, isLate }) => deadline <= this.now && !isLate);
    if (waiter !== undefined) this.giveUp(waiter.number, "timeout");
    else if (run !== undefined) {
      run.isLate = true;
      if (run.hook === "make" && this.#setting.heedsSignal) {
        this.runs = this.runs.filter((other) => other !== run);
      }
      this.#ended(run, false, "timeout");
    } else while (this.#idleDeadline <= this.now) this.#destroy(this.shelf.shift()!.id);
  }

  #ended({ hook, id }: Run, isWell: boolean, reason: string): void {
    this.#report(hook, id, isWell, reason);
    if (hook === "make") {
      this.#isFailing = !isWell;
      if (isWell) this.#deliver(id);
      else this.#refuseFirst(reason);
      this.#goOn();
    }
    if (hook === "check") {
      if (isWell) this.#deliver(id);
      else this.#destroy(id);
      this.#goOn();
    }
    if (hook === "recycle") this.#recycled(id, isWell);
  }

  #recycled(id: number, isWell: boolean): void {
    if (!isWell) this.#destroy(id);
    else if (this.line.length === 0) this.#deliver(id);
    else {
      const isGood = this.#call("check", id);
      if (isGood === true) this.#deliver(id);
      if (isGood === false) this.#destroy(id);
    }
    this.#goOn();
  }

  #goOn(): void {
    const { min, max } = this.#setting;
    for (;;) {
      const checking = this.runs.filter(({ hook, isLate }) => hook === "check" && !isLate).length;
      if (this.shelf.length > 0 && this.line.length > checking) this.#bring(this.#takeGood());
      else if (this.shelf.length === 0 && this.line.length > this.coming && this.size < max) {
        this.#bring(this.#make());
      } else break;
    }
    while (this.size < min && !this.#isFailing && !this.isClosed) this.#bring(this.#make());
  }

  #bring(found: number | string | undefined): void {
    if (typeof found === "number") this.#deliver(found);
    if (typeof found === "string" && found !== "bad") this.#refuseFirst(found);
  }

  /** A resource, the error that there is none, or nothing for the time being. */
  #find(): number | string | undefined {
    while (this.shelf.length > 0) {
      const isGood = this.#takeGood();
      if (isGood !== "bad") return isGood;
    }
    return this.coming === 0 && this.size < this.#setting.max ? this.#make() : undefined;
  }

  #takeGood(): number | "bad" | undefined {
    const { id } = this.shelf.pop()!;
    const isGood = this.#call("check", id);
    if (isGood === "later") return undefined;
    if (!isGood) this.#destroy(id);
    return isGood ? id : "bad";
  }

  #make(): number | string | undefined {
    const id = this.#made++;
    const isMade = this.#call("make", id);
    if (isMade === "later") return undefined;
    this.#isFailing = !isMade;
    return isMade ? id : `make ${id}`;
  }

  #call(hook: PoolHook, id: number): boolean | "later" {
    const { manners, goesWell, hookTimeoutMs } = this.#setting;
    if (manners[hook] === "absent") return true;
    if (manners[hook] === "later") {
      this.runs.push({ hook, id, deadline: this.now + hookTimeoutMs, isLate: false });
      return "later";
    }
    const isWell = goesWell(hook, id);
    this.#report(hook, id, isWell, `${hook} ${id}`);
    return isWell;
  }

  #report(hook: PoolHook, id: number, isWell: boolean, reason: string): void {
    const isMerelyNo = saysNo(hook, id) && reason !== "timeout";
    if (!isWell && hook !== "make" && !isMerelyNo) this.reports.push(reason);
  }

  #deliver(id: number): void {
    const first = this.line.shift();
    if (this.isClosed) this.#destroy(id);
    else if (first !== undefined) this.#lend(first.number, id);
    else this.shelf.push({ id, since: this.now });
  }

  #lend(number: number, id: number): void {
    this.lent.add(id);
    this.outcomes.set(number, `resource ${id}`);
  }

  #refuseFirst(reason: string): void {
    if (this.isClosed) return;
    if (this.line.length > this.coming) this.outcomes.set(this.line.shift()!.number, reason);
    else this.reports.push(reason);
  }

  #destroy(id: number): void {
    this.destroyed.push(id);
    this.#call("destroy", id);
  }
}
