import type { Clock, Timer } from "../base/clock.js";
import { inContext } from "./in-context.js";
import type { Run } from "./run.js";
import type { Task } from "./task.js";

/** A callback that is due at a time, and the task that asked for it. */
export interface Alarm {
  readonly dueAt: number;
  readonly delayMs: number;
  readonly task: Task;
  readonly callback: () => void;
}

/** The same day for all runs: what it is called must not change what they do. */
const wallStartMs = 60 * 365.25 * 24 * 3600 * 1000;

/** The time of one run. It stands still while tasks go on, and jumps from one alarm to the next. */
export class VirtualTime implements Clock {
  readonly #run: Run;
  /** In the order in which they are due; those due together as they were set. */
  readonly #alarms: Alarm[] = [];
  #now = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return wallStartMs + this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    const dueAt = this.#now + Math.max(0, delayMs);
    const alarm = { dueAt, delayMs, task: this.#run.setsAlarm(), callback: inContext(callback) };
    let index = this.#alarms.length;
    while (index > 0 && this.#alarms[index - 1]!.dueAt > alarm.dueAt) index--;
    this.#alarms.splice(index, 0, alarm);
    return {
      cancel: () => {
        const at = this.#alarms.indexOf(alarm);
        if (at >= 0) this.#alarms.splice(at, 1);
      },
    };
  }

  /** The alarm that is due next. */
  get next(): Alarm | undefined {
    return this.#alarms[0];
  }

  /** Goes to the time of the next alarm, and takes it out. */
  advance(): Alarm | undefined {
    const alarm = this.#alarms.shift();
    if (alarm !== undefined) this.#now = Math.max(this.#now, alarm.dueAt);
    return alarm;
  }
}
