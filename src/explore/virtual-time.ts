import type { Clock, Timer } from "../base/clock.js";
import { machine } from "../base/replaced-time.js";
import { inContext } from "./in-context.js";
import type { Run } from "./run.js";
import type { Task } from "./task.js";

/** A callback that is due at a time, and the task that asked for it. */
export interface Alarm {
  readonly dueAt: number;
  readonly delayMs: number;
  readonly task: Task;
  readonly callback: () => void;
  /** After how many steps it was set. */
  readonly since: number;
  /** Once it was left to the machine. */
  byMachine: Timer | undefined;
}

/** The same day for all runs: what it is called must not change what they do. */
const wallStartMs = 60 * 365.25 * 24 * 3600 * 1000;

/** The time of one run. It stands still while tasks go on, and jumps from one alarm to the next. */
export class VirtualTime implements Clock {
  readonly #run: Run;
  /** In the order in which they are due; those due together as they were set. */
  readonly #alarms: Alarm[] = [];
  #now = 0;
  /** Whether any alarm was due. */
  hasPassed = false;

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
    const alarm: Alarm = {
      dueAt,
      delayMs,
      task: this.#run.setsAlarm(),
      callback: inContext(callback),
      since: this.#run.steps,
      byMachine: undefined,
    };
    let index = this.#alarms.length;
    while (index > 0 && this.#alarms[index - 1]!.dueAt > alarm.dueAt) index--;
    this.#alarms.splice(index, 0, alarm);
    return {
      cancel: () => {
        const at = this.#alarms.indexOf(alarm);
        if (at >= 0) this.#alarms.splice(at, 1);
        alarm.byMachine?.cancel();
      },
    };
  }

  /** Leaves these to the machine: from now on they take real time. */
  leaveToMachine(isLeft: (alarm: Alarm) => boolean): void {
    for (const alarm of this.#alarms.filter(isLeft)) {
      this.#alarms.splice(this.#alarms.indexOf(alarm), 1);
      alarm.byMachine = machine.clock.after(alarm.delayMs, alarm.callback);
    }
  }

  /** The alarm that is due next. */
  get next(): Alarm | undefined {
    return this.#alarms[0];
  }

  /** Goes to the time of the next alarm, and takes it out. */
  advance(): void {
    const alarm = this.#alarms.shift();
    if (alarm === undefined) return;
    this.#now = Math.max(this.#now, alarm.dueAt);
    this.hasPassed = true;
  }
}
