import type { Clock, Timer } from "./clock.js";

interface Alarm {
  dueAt: number;
  order: number;
  callback: () => void;
}

/** A clock that moves only when told to: the same calls give the same run, always. */
export class ManualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #alarms = new Set<Alarm>();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = { dueAt: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#alarms.add(alarm);
    return {
      cancel: () => {
        this.#alarms.delete(alarm);
      },
    };
  }

  /** Jumps ahead without letting any timer run on the way: what a frozen process sees when it wakes. */
  jump(byMs: number): void {
    this.#now += byMs;
  }

  /** Moves on by `byMs`, firing what falls due in order and letting promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs;
    await settle();
    for (let alarm = this.#nextDue(until); alarm; alarm = this.#nextDue(until)) {
      this.#alarms.delete(alarm);
      this.#now = Math.max(this.#now, alarm.dueAt);
      alarm.callback();
      await settle();
    }
    this.#now = Math.max(this.#now, until);
  }

  #nextDue(until: number): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.dueAt > until) continue;
      if (!next || alarm.dueAt < next.dueAt || (alarm.dueAt === next.dueAt && alarm.order < next.order)) {
        next = alarm;
      }
    }
    return next;
  }
}

/** One turn of the event loop's check phase: every promise chain that can go on by itself has gone on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
