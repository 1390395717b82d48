import { catchUnhandled } from "../base/catch-unhandled.js";
import { systemClock } from "../base/clock.js";
import { setCourier } from "../base/courier.js";
import { LockstepError } from "../base/errors.js";
import { EventLoopTurn } from "../base/event-loop-turn.js";
import { machineNow, replaceTime } from "../base/replaced-time.js";
import type { Pause, Run } from "./run.js";
import { catchThrown } from "./catch-thrown.js";
import { callsUnderWay } from "./calls-under-way.js";
import { isAccountedFor } from "./stuck.js";
import type { Strategy } from "./strategy.js";

/** Schedules to play, one after the other. */
export interface Series {
  readonly strategy: Strategy;
  /** The next one. */
  begin(): Run;
  /** Hears of its end; whether there is another. */
  ended(run: Run): boolean;
}

/** For so long they are played in one turn of the event loop. */
const turnMs = 10;
/** The clock is looked at once in so many schedules, for a look takes as long as a step. */
const betweenLooks = 8;
/** So long we wait for an answer from outside, before others go on without it. */
const answerMs = 2_000;
/** So long we wait for a sign that the program waits for something outside that we do not know of. */
const signMs = 50;

/**
 * Plays schedules, thousands in one turn of the event loop: a step is a drain of the microtask queue, not a
 * turn. The globals are replaced only while one is being played, so nobody else in the process notices.
 */
export function playSchedules(series: Series): Promise<void> {
  return new Promise((resolve, reject) => {
    const player = new Player(series);
    const turn = () => {
      try {
        if (player.isOver) resolve();
        else player.playForAWhile().then(() => EventLoopTurn.next(turn), reject);
      } catch (error) {
        reject(error);
      }
    };
    // Promises are made to go on at once only from a turn of our own.
    EventLoopTurn.next(turn);
  });
}

class Player {
  readonly #series: Series;
  /** What is being played. */
  #run: Run | undefined;
  #isOver = false;
  #callsBefore = 0;

  constructor(series: Series) {
    this.#series = series;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Begins at once. What it then waits for is the machine. */
  playForAWhile(): Promise<void> {
    const until = machineNow() + turnMs;
    const restore = this.#takeOver();
    let pause: Pause | undefined;
    try {
      for (let played = 1; pause === undefined && !this.#isOver; played++) {
        pause = this.#playOn();
        if (played % betweenLooks === 0 && machineNow() >= until) break;
      }
    } finally {
      restore();
    }
    // In the machine's own time.
    return pause === undefined ? Promise.resolve() : untilMachine(this.#run!, pause);
  }

  /** Makes what is being played the master of time and chance. */
  #takeOver(): () => void {
    // While an effect is open, some of what is under way now is its own.
    if (this.#run === undefined || this.#run.waits.openEffects === 0) this.#callsBefore = callsUnderWay();
    const restoreTime = replaceTime(() => this.#run!);
    const fail = (error: unknown) => {
      this.#run!.fail("error", error);
    };
    const restoreUnhandled = catchUnhandled(fail);
    const restoreThrown = catchThrown(fail);
    return () => {
      setCourier(undefined);
      restoreThrown();
      restoreUnhandled();
      restoreTime();
    };
  }

  /** Plays one schedule, from where it paused or from its beginning. */
  #playOn(): Pause | undefined {
    const run = this.#run ?? this.#series.begin();
    setCourier(run);
    run.callsBefore = this.#callsBefore;
    if (this.#run === undefined) {
      this.#run = run;
      run.begin();
    }
    const pause = run.goOn(this.#series.strategy);
    if (pause !== undefined) return pause;
    this.#isOver = !this.#series.ended(run);
    this.#run = undefined;
    return undefined;
  }
}

/** Waits until the machine has let the run go on. */
async function untilMachine(run: Run, pause: Pause): Promise<void> {
  const nobodyCanGoOn = pause === "nobody can go on";
  if (nobodyCanGoOn && isAccountedFor(run)) {
    run.concludeStuck();
    return;
  }
  const isInEffect = run.waits.openEffects > 0;
  const isStirred = await stirs(
    run,
    isInEffect ? answerMs : signMs,
    nobodyCanGoOn ? Infinity : run.waits.openEffects,
  );
  if (!nobodyCanGoOn || (isStirred && isInEffect)) return;
  if (!isStirred) run.concludeStuck();
  else throw outsideError(run);
}

/** Whether anything happens, or an effect is answered, in so much time. */
function stirs(run: Run, forMs: number, openEffects: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isStirred: boolean) => {
      timer.cancel();
      run.onStir = undefined;
      resolve(isStirred);
    };
    const timer = systemClock.after(forMs, () => {
      end(false);
    });
    run.onStir = () => {
      if (run.waits.openEffects < openEffects) end(true);
    };
  });
}

function outsideError({ current }: Run): LockstepError {
  return new LockstepError(
    "misuse",
    `${current.name}, or another task, waits for something outside the program, such as a file or a ` +
      "socket, so the schedule is not the explorer's alone; put what takes time in " +
      'io("name", async () => { … })',
  );
}
