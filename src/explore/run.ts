import type { Clock, Timer } from "../base/clock.js";
import type { Courier } from "../base/courier.js";
import { drainMicrotasks } from "../base/drain-microtasks.js";
import { LockstepError } from "../base/errors.js";
import { machine, type Replacement } from "../base/replaced-time.js";
import { Held } from "../sync/held.js";
import { callsUnderWay } from "./calls-under-way.js";
import type { Finding, FindingKind } from "./finding.js";
import type { Touched } from "./footprint.js";
import { checkInvariants } from "./check-invariants.js";
import { inContext } from "./in-context.js";
import { Point, type PointKind } from "./point.js";
import { RunStage } from "./run-stage.js";
import type { ScheduleRecord } from "./schedule-record.js";
import type { Program } from "./stage.js";
import type { Strategy } from "./strategy.js";
import { endlessFinding, stuckFinding } from "./stuck.js";
import { Task } from "./task.js";
import { Turns } from "./turns.js";
import { VirtualTime } from "./virtual-time.js";
import { Waits } from "./waits.js";

/** A callback for another turn, and the task that asked for it. */
interface Soon {
  readonly point: Point;
  readonly task: Task;
  /** After how many steps it was asked for. */
  readonly since: number;
  /** Once it was left to the machine. */
  byMachine: Timer | undefined;
}

/** How a schedule is run. */
export interface Rules {
  readonly program: Program;
  readonly invariant: (() => unknown) | undefined;
  /** How often a task that could go on may be interrupted. */
  readonly preemptions: number;
  /** Whether timers may fire while others could go on. */
  readonly hasEarlyTimers: boolean;
}

/** Why a schedule pauses: only the machine itself can let it go on. */
export type Pause = "effect under way" | "nobody can go on";

/** More steps than any sensible test takes. */
const mostSteps = 10_000;

/**
 * One schedule of a program: plays its tasks step by step. A step begins at a point that was chosen, and goes
 * on until every promise chain that can go on by itself has gone on.
 *
 * Whatever happens in a step is put down to the task that was chosen. That is exact where tasks meet by what
 * the explorer knows of: a lock's grant, an answer, the end of a task. A promise of the program's own that
 * one task resolves for another makes the latter act, for a while, in the name of the former; that changes
 * names in reports, and what counts as a preemption, but not which schedules there are.
 */
export class Run implements Courier, Replacement {
  readonly rules: Rules;
  readonly seed: number;
  readonly record: ScheduleRecord | undefined;
  readonly turns: Turns;
  readonly stage: RunStage;
  readonly tasks: Task[] = [];
  /** The points of those who could go on, in the order in which they came to them. */
  readonly ready: Point[] = [];
  /** Looked at after each step. */
  readonly invariants: (() => unknown)[] = [];
  steps = 0;
  finding: Finding | undefined;
  /** Whether it was given up, since a schedule with the same outcome had been tried. */
  isPruned = false;
  /** Whether the latest step did anything that no footprint tells of. */
  isStepOpen = false;
  /** Whether the program has drawn chance. */
  hasDrawn = false;
  /** Whether anybody came to a point in between beginning and end, or set a timer. */
  canBeInterrupted = false;
  /** How much of the machine was under way before the run went on. */
  callsBefore = 0;
  /** Told when something happens while the run is paused. */
  onStir: (() => void) | undefined;
  #current: Task;
  #points = 0;
  #ids = 0;
  #time: VirtualTime | undefined;
  #alarm: Point | undefined;
  /** In the order of their ends; those who await the first so many know of it. */
  readonly #ended: Task[] = [];
  #told = 0;
  /** How much was begun that will go on by itself or by choice. */
  #begun = 0;
  #hasBegunEffect = false;
  readonly #soon: Soon[] = [];
  #isOver = false;
  #waits: Waits | undefined;

  /** The seed is for the stage's own chance. */
  constructor(rules: Rules, seed: number, record?: ScheduleRecord) {
    this.rules = rules;
    this.seed = seed;
    this.record = record;
    this.turns = new Turns(rules.preemptions);
    this.stage = new RunStage(this);
    if (rules.invariant !== undefined) this.invariants.push(rules.invariant);
    this.#current = new Task(0, "program", undefined, () => rules.program(this.stage));
    this.tasks.push(this.#current);
  }

  get clock(): Clock {
    return (this.#time ??= new VirtualTime(this));
  }

  /** Those who cannot go on. */
  get waits(): Waits {
    return (this.#waits ??= new Waits());
  }

  /** Whether any timer was due. */
  get hasTimePassed(): boolean {
    return this.#time?.hasPassed === true;
  }

  /** In whose step we are. */
  get current(): Task {
    return this.#current;
  }

  /** Runs the program up to its first point. */
  begin(): void {
    this.live(this.#current);
    this.#settle();
    checkInvariants(this);
  }

  /** Goes on until the end, or until only the machine can let it go on; then says why. */
  goOn(strategy: Strategy): Pause | undefined {
    while (this.finding === undefined && (this.#told < this.tasks.length || this.ready.length > 0)) {
      if (this.steps >= mostSteps) {
        this.finding = endlessFinding(this);
        break;
      }
      const point = this.#take(strategy);
      if (point === undefined) {
        if (this.isPruned) break;
        return "nobody can go on";
      }
      this.#makeStep(point);
      if (this.#isInEffect) return "effect under way";
    }
    this.#isOver = true;
    return undefined;
  }

  /** Ends a run in which nobody can go on. */
  concludeStuck(): void {
    this.finding = stuckFinding(this);
    this.#isOver = true;
  }

  fail(kind: FindingKind, error: unknown): void {
    this.finding ??= { kind, error, task: this.#current };
  }

  /** Adds a task, of the one in whose step we are. */
  newTask(name: string | undefined, body: () => unknown): Task {
    const task = new Task(this.tasks.length, name, this.#current, body);
    this.tasks.push(task);
    this.isStepOpen = true;
    return task;
  }

  /** Lives through a task from its beginning to its end. */
  readonly live = (task: Task): void => {
    const ended = (value: unknown) => {
      task.value = value;
      this.#ends(task);
    };
    const failed = (error: unknown) => {
      task.failure = { error };
      this.#ends(task);
    };
    try {
      const outcome = task.body();
      // Asking first is faster than `Promise.resolve`, which asks for more.
      const promise = outcome instanceof Promise ? outcome : Promise.resolve(outcome);
      promise.then(ended, failed);
    } catch (error) {
      failed(error);
    }
  };

  /** Notes that something will be due at a time; of whom. */
  setsAlarm(): Task {
    this.#begun++;
    this.isStepOpen = this.canBeInterrupted = true;
    return this.#current;
  }

  /** Holds a task up until it is chosen to go on. */
  park(
    task: Task,
    kind: PointKind,
    what: string | (() => string),
    resume: (value: never) => void,
    value?: unknown,
    touched?: Touched,
  ): Point {
    if (this.#isOver) throw overError();
    this.#begun++;
    if (kind !== "start") this.canBeInterrupted = true;
    const point = new Point(++this.#points, task, kind, what, resume, value, touched);
    this.ready.push(point);
    if (this.onStir !== undefined) this.onStir();
    return point;
  }

  /** Waits for the answer of an effect. */
  await(
    answer: PromiseLike<unknown>,
    what: string,
    answered: (value: unknown) => void,
    refused: (error: unknown) => void,
  ): void {
    this.#hasBegunEffect = true;
    const wait = { task: this.#current, what, from: undefined, since: this.steps };
    this.waits.until(answer, wait, answered, refused);
  }

  deliver<T>(parcel: Promise<T>, what: string | (() => string), from: object): Promise<T> {
    const task = this.#current;
    this.#begun++;
    this.isStepOpen = true;
    return new Promise((resolve, reject) => {
      const granted = (value: T) => {
        if (value instanceof Held) task.hold(value);
        this.park(task, "grant", what, resolve, value);
      };
      const refused = (error: unknown) => {
        this.park(task, "refusal", what, reject, error);
      };
      this.waits.until(parcel, { task, what, from, since: this.steps }, granted, refused);
    });
  }

  /** Calls back in a turn of its own, which others may come before. */
  soon(callback: () => void): Timer {
    this.isStepOpen = true;
    const point = this.park(this.#current, "turn", "setImmediate", inContext(callback));
    const soon: Soon = { point, task: this.#current, since: this.steps, byMachine: undefined };
    this.#soon.push(soon);
    return {
      cancel: () => {
        this.#takeBack(point);
        soon.byMachine?.cancel();
      },
    };
  }

  /** Whether the point was still to come. */
  #takeBack(point: Point): boolean {
    const place = this.ready.indexOf(point);
    if (place >= 0) this.ready.splice(place, 1);
    return place >= 0;
  }

  /** What `Math.random` gives meanwhile. */
  chance(): number {
    return this.stage.random.next();
  }

  /** What `randomUUID` gives meanwhile: the same in each schedule, and that an id is new changes nothing. */
  uuid(): string {
    return `00000000-0000-4000-8000-${`${++this.#ids}`.padStart(12, "0")}`;
  }

  #ends(task: Task): void {
    this.#ended.push(task);
    if (this.onStir !== undefined) this.onStir();
  }

  /** Chooses who goes on; the next timer if there is nobody else. */
  #take(strategy: Strategy): Point | undefined {
    const { ready, turns } = this;
    const alarm = ready.length === 0 || this.rules.hasEarlyTimers ? this.#nextAlarm() : undefined;
    if (alarm !== undefined) ready.push(alarm);
    if (ready.length === 0) return undefined;
    let place: number | undefined = 0;
    if (ready.length > 1 || strategy.decidesAll) {
      turns.lookRound(ready);
      place = strategy.choose(this);
      if (place === undefined) {
        this.isPruned = true;
        return undefined;
      }
      if (ready.length > 1) {
        turns.note(place, ready);
        this.record?.counts.push(ready.length);
      }
    }
    const point = ready[place]!;
    for (let next = place + 1; next < ready.length; next++) ready[next - 1] = ready[next]!;
    ready.pop();
    if (point === alarm) this.#time!.advance();
    else if (alarm !== undefined) ready.pop();
    return point;
  }

  #nextAlarm(): Point | undefined {
    const next = this.#time?.next;
    if (next === undefined) return undefined;
    if (this.#alarm?.value !== next) {
      const fire = () => {
        next.callback();
      };
      this.#alarm = new Point(++this.#points, next.task, "timer", `timer of ${next.delayMs} ms`, fire, next);
    }
    return this.#alarm;
  }

  #makeStep(point: Point): void {
    this.turns.stepBy(point.task);
    this.#current = point.task;
    this.steps++;
    this.isStepOpen = this.#hasBegunEffect = false;
    this.#begun = 0;
    this.record?.stepBegins(point, this.ready.length);
    try {
      point.goOn();
    } catch (error) {
      this.fail("error", error);
    }
    this.#settle();
    checkInvariants(this);
  }

  /** Whether only the machine can bring an effect to its end. */
  get #isInEffect(): boolean {
    if ((this.#waits?.openEffects ?? 0) === 0 || this.finding !== undefined) return false;
    if (this.#hasBegunEffect && this.#begun === 0) return true;
    // With timers and no call on the machine it only pretends to take time.
    if (callsUnderWay() <= this.callsBefore) return false;
    this.#leaveToMachine();
    return true;
  }

  /** What its answer needs, or limits it: whatever was asked for in the latest step, and by open effects. */
  #leaveToMachine(): void {
    const effects = [...this.waits].filter(({ from }) => from === undefined);
    const isLeft = (asked: { readonly task: Task; readonly since: number }) =>
      asked.since === this.steps ||
      effects.some(({ task, since }) => asked.task === task && asked.since >= since);
    this.#time?.leaveToMachine(isLeft);
    for (const soon of this.#soon.filter(isLeft)) {
      if (!this.#takeBack(soon.point)) continue;
      soon.byMachine = machine.soon(() => {
        soon.point.goOn();
      });
    }
  }

  /** Lets all go on that can; those who await a task, in the name of the one who started it. */
  #settle(): void {
    drainMicrotasks();
    while (this.#told < this.#ended.length) {
      const ended = this.#ended[this.#told++]!;
      this.record?.taskEnded(ended);
      if (ended.parent === undefined) {
        // Nobody awaits the program itself.
        ended.hasEnded = true;
        if (ended.failure !== undefined) this.fail("error", ended.failure.error);
        continue;
      }
      this.#current = ended.parent;
      ended.tellEnd();
      drainMicrotasks();
    }
  }
}

function overError(): LockstepError {
  return new LockstepError("misuse", "this schedule is over; await all that a task begins before it ends");
}
