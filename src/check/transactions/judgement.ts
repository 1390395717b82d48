import type { Budget } from "../budget.js";
import type { History } from "../history.js";
import type { TransactionLevel } from "../level.js";
import type { Anomaly, Verdict } from "../verdict.js";
import { CommitOrder, type CommitOrderLevel } from "./commit-order.js";
import { findCycles } from "./cycles.js";
import { dependencyGraph, type DependencyGraph } from "./dependency-graph.js";
import { forcedAnomaly } from "./forced-anomaly.js";
import { forcedOrder, type ForcedOrder } from "./forced-order.js";
import { EventGraph } from "./event-graph.js";
import { attemptOf } from "./explanations.js";
import { observeLists } from "./list-append.js";
import { findLostUpdate } from "./lost-updates.js";
import { Observations } from "./observations.js";
import { proofs, rulesOut, type Timing } from "./phenomena.js";
import { observeRegisters } from "./registers.js";
import { ScheduleSearch } from "./schedule.js";
import type { Workload } from "./workload.js";

const weaker: Record<Timing, readonly Timing[]> = {
  none: ["none"],
  session: ["none", "session"],
  realtime: ["none", "session", "realtime"],
};

const mostStepsAtOnce = 1000;

/** Judges one history by any levels; what it found for one it need not look for again. */
export class Judgement {
  readonly #observations: Observations;
  readonly #graphs = new Map<Timing, DependencyGraph>();
  readonly #searched = new Set<Timing>();

  constructor(history: History, workload: Workload) {
    this.#observations = new Observations(history, workload);
    if (workload === "list-append") observeLists(this.#observations);
    else observeRegisters(this.#observations);
    findLostUpdate(this.#observations);
  }

  verdict(level: TransactionLevel, budget: Budget): Verdict {
    const { by } = proofs[level];
    const timing = this.#timing(level);
    if (by === "version order") return this.#byCycles(level, timing, budget);
    if (by === "commit order") return this.#byCommitOrder(level as CommitOrderLevel, budget);
    return this.#bySchedule(level, timing, by === "snapshots", budget);
  }

  /** All that is wrong with it, the most telling first. */
  anomalies(budget: Budget): readonly Anomaly[] {
    this.verdict("read-committed", budget);
    this.verdict("causal", budget);
    this.verdict("strict-serializable", budget);
    for (const timing of weaker[this.#timing("strict-serializable")]) this.#search(timing, undefined, budget);
    return this.#observations.findings.all.map(({ anomaly }) => anomaly);
  }

  /** What real time says counts only if it was recorded. */
  #timing(level: TransactionLevel): Timing {
    const { timing } = proofs[level];
    return timing === "realtime" && this.#observations.history.realTime === false ? "session" : timing;
  }

  #byCycles(level: TransactionLevel, timing: Timing, budget: Budget): Verdict {
    const isDone = this.#search(timing, level, budget);
    return this.#violation(level) ?? (isDone ? { is: "valid", level } : this.#late(level));
  }

  #byCommitOrder(level: CommitOrderLevel, budget: Budget): Verdict {
    const isDone = this.#search("none", level, budget) && this.#search("session", level, budget);
    for (const weakest of ["read-committed", "read-atomic", "causal"] as const) {
      const obstacle = this.#violation(level)
        ? undefined
        : this.#checkCommitOrder(weakest, "session", budget);
      if (obstacle !== undefined) return this.#unknown(level, obstacle);
      if (weakest === level) break;
    }
    return this.#violation(level) ?? (isDone ? { is: "valid", level } : this.#late(level));
  }

  /** First without regard to sessions: what is wrong then is worse. Gives what hinders it, if so. */
  #checkCommitOrder(level: CommitOrderLevel, timing: Timing, budget: Budget): string | undefined {
    const observations = this.#observations;
    if (level !== "causal") new CommitOrder(observations, "none", budget).check(level);
    if (timing === "none" || this.#violation(level)) return undefined;
    return new CommitOrder(observations, "session", budget).check(level);
  }

  #bySchedule(level: TransactionLevel, timing: Timing, hasSnapshots: boolean, budget: Budget): Verdict {
    const observations = this.#observations;
    const events = new EventGraph(this.#graph(timing), hasSnapshots);
    const order = events.sorted(observations);
    if (order === undefined) for (const each of weaker[timing]) this.#search(each, level, budget);
    const early = this.#violation(level);
    if (early !== undefined) return early;
    if (order === undefined) return this.#late(level);
    const search = new ScheduleSearch(observations, events, order);
    // Most histories that can be put in order are so at once; else what is wrong may have a name.
    let schedule = search.run(budget, mostStepsAtOnce + 2 * order.length);
    if (schedule.is !== "found") {
      this.#checkCommitOrder("read-atomic", timing, budget);
      const violation = this.#violation(level);
      if (violation !== undefined) return violation;
      const forced = forcedOrder(observations, events);
      const forcedTimes = forced.events.sorted(observations);
      if (forcedTimes === undefined) return this.#noOrder(level, forced, budget);
      if (schedule.is === "unknown") {
        schedule = new ScheduleSearch(observations, forced.events, forcedTimes).run(budget);
      }
    }
    const { is, longest } = schedule;
    if (is === "unknown") return this.#late(level, longest.length);
    if (is === "none") return this.#noSchedule(level, hasSnapshots, longest);
    if (timing === proofs[level].timing) return { is: "valid", level };
    return this.#unknown(
      level,
      "the history does not say what was over when something else began: strong-session-serializable it is",
      longest.length,
    );
  }

  #noOrder(level: TransactionLevel, forced: ForcedOrder, budget: Budget): Verdict {
    const anomaly = { name: `not ${level}`, ...forcedAnomaly(this.#observations, forced, budget) };
    return { is: "violation", level, anomalies: [anomaly] };
  }

  #noSchedule(level: TransactionLevel, hasSnapshots: boolean, longest: readonly number[]): Verdict {
    const attempt = attemptOf(this.#observations, longest);
    const order = hasSnapshots ? "order of snapshots and commits" : "order of transactions";
    const anomaly: Anomaly = {
      name: `not ${level}`,
      explanation: `No ${order} gives all reads what they saw: every one was tried.`,
      operations: this.#observations.operations.filter((_, each) => this.#observations.tookPlace[each] === 1),
      attempt,
    };
    return { is: "violation", level, anomalies: [anomaly] };
  }

  #graph(timing: Timing): DependencyGraph {
    let graph = this.#graphs.get(timing);
    if (graph === undefined) {
      graph = dependencyGraph(this.#observations, timing);
      this.#graphs.set(timing, graph);
    }
    return graph;
  }

  /** False if the time was up. */
  #search(timing: Timing, level: TransactionLevel | undefined, budget: Budget): boolean {
    if (this.#searched.has(timing)) return true;
    const end = findCycles(this.#observations, this.#graph(timing), timing, level, budget);
    if (end === "all") this.#searched.add(timing);
    return end !== "late";
  }

  #violation(level: TransactionLevel): Verdict | undefined {
    const [first, ...others] = this.#observations.findings.all
      .filter(({ phenomenon }) => rulesOut(phenomenon, level))
      .map(({ anomaly }) => anomaly);
    return first === undefined ? undefined : { is: "violation", level, anomalies: [first, ...others] };
  }

  #late(level: TransactionLevel, checked = 0): Verdict {
    return this.#unknown(level, "the time was up; give it more with timeoutMs", checked);
  }

  #unknown(level: TransactionLevel, reason: string, checked = 0): Verdict {
    const of = this.#observations.tookPlace.reduce((sum, each) => sum + each, 0);
    return { is: "unknown", level, reason, checked, of };
  }
}
