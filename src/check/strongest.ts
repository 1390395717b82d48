import type { Budget } from "./budget.js";
import type { History } from "./history.js";
import { isImpliedBy, operationLevels, transactionLevels, type Level, type OperationLevel } from "./level.js";
import { linearizable } from "./linearizability/linearizable.js";
import { sequential } from "./linearizability/sequential.js";
import type { Model } from "./model.js";
import { sessionLevelsOf } from "./sessions/keeps-session-level.js";
import { shrunk } from "./shrink.js";
import { isolationOf } from "./transactions/keeps-isolation.js";
import { isWorkload, type Workload } from "./transactions/workload.js";
import type { Verdict } from "./verdict.js";

/** The strongest promise that a history keeps. */
export interface Strongest {
  /**
   * None, if it breaks even the weakest, or nobody knows. Not all promises are stronger or weaker than one
   * another: of several that it keeps it is the one that stands first in the list of levels.
   */
  readonly level: Level | undefined;
  /**
   * How it breaks the next stronger one, with the shortest counterexample. If it breaks none that is
   * stronger, the verdict on the next of which nobody knows; undefined if there is none.
   */
  readonly next: Verdict | undefined;
  /** What each level that was looked at says. Those that follow from one that is kept were not. */
  readonly verdicts: ReadonlyMap<Level, Verdict>;
}

type About = "operations" | "transactions";

export function strongest<State>(
  history: History,
  object: Model<State> | Workload,
  budget: Budget,
): Strongest {
  if (!isWorkload(object)) return strongestOfOperations(history, object, budget);
  const judge = isolationOf(history, object);
  return climbDown(transactionLevels, "transactions", (level) => judge(level, budget.half()));
}

function strongestOfOperations<State>(history: History, model: Model<State>, budget: Budget): Strongest {
  const judge = operationJudge(history, model);
  // Without reads and writes there is nothing to ask of the others.
  const levels = model.access ? operationLevels : operationLevels.slice(0, 2);
  const found = climbDown(levels, "operations", (level) => judge(level, budget.half()));
  const { next } = found;
  if (next?.is !== "violation") return found;
  if (next.level !== "linearizable" && next.level !== "sequential") return found;
  // What a search has found is told of as few operations as will do already.
  if (next.level === "linearizable" && next.anomalies[0].attempt) return found;
  const again = (part: History) => operationJudge(part, model)(next.level as OperationLevel, budget.half());
  return { ...found, next: shrunk(history, model, next, again, budget) };
}

function operationJudge<State>(history: History, model: Model<State>) {
  const sessionLevels = model.access ? sessionLevelsOf(history, model) : undefined;
  return (level: OperationLevel, budget: Budget): Verdict => {
    if (level === "linearizable") return linearizable(history, model, budget);
    if (level !== "sequential") return sessionLevels!(level, budget);
    // To search for an order takes long; that there is none is often seen at once.
    const weaker = sessionLevels?.("causal+", budget.half());
    return weaker?.is === "violation" ? { ...weaker, level } : sequential(history, model, budget);
  };
}

/** Asks from the strongest down what does not follow from what is kept. */
function climbDown<Each extends Level>(
  levels: readonly Each[],
  about: About,
  judge: (level: Each) => Verdict,
): Strongest {
  const verdicts = new Map<Level, Verdict>();
  const kept: Each[] = [];
  for (const level of levels) {
    if (kept.some((stronger) => isImpliedBy(level, stronger, about))) continue;
    const verdict = judge(level);
    verdicts.set(level, verdict);
    if (verdict.is === "valid") kept.push(level);
  }
  const [level] = kept;
  const stronger = [...verdicts.values()]
    .filter((verdict) => level === undefined || isImpliedBy(level, verdict.level, about))
    .reverse();
  const next = stronger.find(({ is }) => is === "violation") ?? stronger[0];
  return { level, next, verdicts };
}
