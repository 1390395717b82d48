import { counted } from "../base/counted.js";
import { courier } from "../base/courier.js";
import { LockstepError } from "../base/errors.js";
import { areTimersReal } from "../base/replaced-time.js";
import { DepthFirst } from "./depth-first.js";
import { planOf, type ExploreOptions, type Plan } from "./explore-options.js";
import { GivenChoices } from "./given-choices.js";
import { playSchedules } from "./play-schedules.js";
import { PriorityWalk } from "./priority-walk.js";
import { RaceFound } from "./race-found.js";
import { RandomWalk } from "./random-walk.js";
import { ReducedDepthFirst } from "./reduced-depth-first.js";
import { Replay } from "./replay-text.js";
import { Run, type Rules } from "./run.js";
import { expectSame, expectSameAnswers, expectSameEnd } from "./same-again.js";
import { ScheduleRecord } from "./schedule-record.js";
import { simplestFailure } from "./simplest-failure.js";
import type { Program } from "./stage.js";
import type { Strategy } from "./strategy.js";

/** What was tried without finding anything. */
export interface Exploration {
  /** How many schedules were played. */
  readonly schedules: number;
  /**
   * Whether these were all there are, within the bounds that were given: a proof, and not just a test. They
   * never are where the program draws chance.
   */
  readonly isComplete: boolean;
  /** In words, with what was not tried: other chance, timers that strike early, tasks without any point. */
  readonly summary: string;
}

/**
 * Plays a program in schedule after schedule, to find one in which it throws, breaks an invariant or comes to
 * a standstill.
 *
 * *Failure*: rejects with {@link RaceFound}, which tells the simplest such schedule, step by step, and how to
 * play it again; with 'misuse' when the program is not its own master: when it does not do the same each
 * time, waits for something outside or meets fake timers.
 */
export async function explore(program: Program, options: ExploreOptions = {}): Promise<Exploration> {
  const plan = planOf(program, options);
  if (courier !== undefined) {
    throw new LockstepError(
      "misuse",
      "explore was called by a program that is being explored; call it outside",
    );
  }
  if (!areTimersReal()) {
    throw new LockstepError(
      "misuse",
      "setTimeout is not the real one: fake timers are on; turn them off, for explore has its own clock",
    );
  }
  const explorer = new Explorer(program, plan);
  return plan.replay === undefined ? explorer.explore() : explorer.replay(plan.replay);
}

class Explorer {
  readonly #plan: Plan;
  readonly #rules: Rules;
  #schedules = 0;
  /** What is to be said of all schedules that were searched. */
  #hasDrawn = false;
  #hasTimePassed = false;
  #canBeInterrupted = false;

  constructor(program: Program, plan: Plan) {
    const { invariant, preemptions, timers } = plan;
    this.#plan = plan;
    this.#rules = { program, invariant, preemptions, hasEarlyTimers: timers === "any" };
  }

  async explore(): Promise<Exploration> {
    const undisturbed = () => this.#tell(this.#plan.seed, []);
    const first = await undisturbed();
    expectSame(first, await undisturbed());
    // It is as simple as can be.
    if (first.finding !== undefined) throw new RaceFound(first, 1);
    const outcome = await this.#search(first).catch(raceOrThrow);
    // What the schedules in between have changed may have changed their own ends, too.
    expectSame(first, await undisturbed());
    if (outcome instanceof RaceFound) throw outcome;
    return outcome;
  }

  async #search(first: Run): Promise<Exploration> {
    const { mode, seed, depth } = this.#plan;
    if (mode === "random") return this.#walk(new RandomWalk(seed));
    if (mode === "pct") return this.#byPriorities(depth);
    const all = await this.#all(first);
    if (all !== undefined) return all;
    if (mode === "exhaustive")
      return this.#result(false, `${counted(this.#schedules, "schedule")}; there are more`);
    return this.#byPriorities(depth);
  }

  async replay(text: string): Promise<Exploration> {
    const strategy = new Replay(text);
    const run = await this.#play(strategy, new ScheduleRecord());
    this.#schedules = 1;
    strategy.checkFits(run);
    if (run.finding !== undefined) throw new RaceFound(run, 1);
    return this.#result(false, "the one schedule that was replayed");
  }

  /** All schedules; undefined when they are too many. */
  async #all(first: Run): Promise<Exploration | undefined> {
    const { seed, preemptions, timers } = this.#plan;
    // Two schedules with the same end may be told apart by who looks in between, or counts interruptions.
    const mayReduce =
      first.stage.hasFootprints &&
      first.invariants.length === 0 &&
      preemptions === Infinity &&
      timers === "last";
    const strategy = mayReduce ? new ReducedDepthFirst(seed) : new DepthFirst(seed);
    const { isComplete, schedules } = await this.#playOut(strategy);
    if (!isComplete) return undefined;
    const within = preemptions === Infinity ? "" : ` with at most ${counted(preemptions, "preemption")}`;
    const by = this.#hasDrawn ? `, with the chance of seed ${seed}` : "";
    const but = mayReduce ? ", but for the order of steps that touch nothing in common" : "";
    const all = schedules === 1 ? "the only schedule" : `all ${counted(schedules, "schedule")}`;
    return this.#result(!this.#hasDrawn, `${all}${within}${by}${but}`);
  }

  async #byPriorities(depth: number): Promise<Exploration> {
    const strategy = new PriorityWalk(this.#plan.seed, depth);
    const found = await this.#walk(strategy);
    const percent = Math.max(0.1, Number((strategy.chanceOfMissing * 100).toPrecision(2)));
    const bound = `it missed a race of depth ${depth} with a probability of ${percent} % at most`;
    return { ...found, summary: `${found.summary}; ${bound}` };
  }

  async #walk(strategy: Strategy): Promise<Exploration> {
    await this.#playOut(strategy);
    return this.#result(false, `${counted(this.#schedules, "schedule")}, of how many is not known`);
  }

  #result(isComplete: boolean, summary: string): Exploration {
    const notes = [
      this.#hasTimePassed && this.#plan.timers === "last" ? "; timers last" : "",
      this.#canBeInterrupted ? "" : "; no task could be interrupted: wrap what it waits for in io",
    ];
    return { schedules: this.#schedules, isComplete, summary: summary + notes.join("") };
  }

  /** Plays schedules until one fails, there are no more, or they are enough. */
  async #playOut(strategy: Strategy): Promise<{ isComplete: boolean; schedules: number }> {
    let [played, isComplete, isFair] = [0, false, true];
    let failed: Run | undefined;
    await playSchedules({
      strategy,
      begin: () => this.#newRun(strategy.seed),
      ended: (run) => {
        if (!run.isPruned) played++;
        if (run.turns.isCurbed) isFair = false;
        this.#note(run);
        if (run.finding !== undefined) {
          failed = run;
          return false;
        }
        isComplete = !strategy.next(run);
        return !isComplete && played < this.#plan.runs;
      },
    });
    this.#schedules += played;
    if (failed !== undefined) throw await this.#report(failed);
    return { isComplete: isComplete && isFair, schedules: played };
  }

  #note(run: Run): void {
    this.#hasDrawn ||= run.hasDrawn;
    this.#hasTimePassed ||= run.hasTimePassed;
    this.#canBeInterrupted ||= run.canBeInterrupted;
  }

  async #report(failed: Run): Promise<RaceFound> {
    const { seed, turns } = failed;
    const play = (choices: readonly number[]) => this.#play(new GivenChoices(seed, choices));
    const simplest = await simplestFailure(failed, play);
    const told = await this.#tell(seed, simplest.turns.choices);
    expectSameEnd(simplest, told);
    expectSameEnd(failed, await this.#tell(seed, turns.choices));
    expectSameAnswers(told, await this.#tell(seed, simplest.turns.choices));
    return new RaceFound(told, this.#schedules);
  }

  /** Plays one schedule, and writes down what happens. */
  #tell(seed: number, choices: readonly number[]): Promise<Run> {
    return this.#play(new GivenChoices(seed, choices), new ScheduleRecord());
  }

  async #play(strategy: Strategy, record?: ScheduleRecord): Promise<Run> {
    const run = this.#newRun(strategy.seed, record);
    await playSchedules({ strategy, begin: () => run, ended: () => false });
    return run;
  }

  #newRun(seed: number, record?: ScheduleRecord): Run {
    return new Run(this.#rules, seed, record);
  }
}

function raceOrThrow(error: unknown): RaceFound {
  if (error instanceof RaceFound) return error;
  throw error;
}
