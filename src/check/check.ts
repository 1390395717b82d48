import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import { Budget, type CheckOptions } from "./budget.js";
import { checkHistory, type History } from "./history.js";
import {
  isTransactionLevel,
  operationLevels,
  transactionLevels,
  type Level,
  type OperationLevel,
  type TransactionLevel,
} from "./level.js";
import { linearizable } from "./linearizability/linearizable.js";
import { sequential } from "./linearizability/sequential.js";
import { checkModel, type Model } from "./model.js";
import { keepsSessionLevel } from "./sessions/keeps-session-level.js";
import { strongest, type Strongest } from "./strongest.js";
import { keepsIsolation } from "./transactions/keeps-isolation.js";
import { isWorkload, type Workload } from "./transactions/workload.js";
import type { Verdict } from "./verdict.js";

/** What can be asked of a history. Each question has all the time that `check` was given. */
export interface Check {
  /** Whether each operation seems to happen at one moment between its call and its answer. */
  linearizable<State>(model: Model<State>): Verdict;
  /** Whether there is one order of all operations that each client's own order agrees with. */
  sequential<State>(model: Model<State>): Verdict;
  /** Whether the history keeps the promise. */
  keeps<State>(level: OperationLevel, object: Model<State>): Verdict;
  keeps(level: TransactionLevel, transactions: Workload): Verdict;
  /** The strongest promise that it keeps, and how it breaks the next. */
  strongest<State>(object: Model<State> | Workload): Strongest;
}

/**
 * Judges a history.
 *
 * @example
 * ```ts
 * const verdict = check(recorder.history).linearizable(register());
 * if (verdict.is === "violation") console.log(verdict.anomalies[0].explanation);
 * ```
 */
export function check(history: History, options?: CheckOptions): Check {
  checkHistory(history);
  // Refused now, if it is nonsense.
  const budget = () => new Budget(options);
  budget();
  return {
    linearizable: (model) => linearizable(history, checkModel(model), budget()),
    sequential: (model) => sequential(history, checkModel(model), budget()),
    keeps: (level: Level, object: Model | Workload) => keeps(history, level, object, budget()),
    strongest: (object) => strongest(history, isWorkload(object) ? object : checkModel(object), budget()),
  };
}

function keeps<State>(
  history: History,
  level: Level,
  object: Model<State> | Workload,
  budget: Budget,
): Verdict {
  const levels = new Set<Level>([...operationLevels, ...transactionLevels]);
  if (!levels.has(level)) {
    throw new LockstepError(
      "bad-input",
      `there is no level ${shown(level)}; there are ${[...levels].join(", ")}`,
    );
  }
  if (isWorkload(object)) {
    if (isTransactionLevel(level)) return keepsIsolation(history, level, object, budget);
    throw new LockstepError(
      "bad-input",
      `${level} is about operations: ask of ${object} a level of transactions`,
    );
  }
  const model = checkModel(object);
  if (level === "linearizable") return linearizable(history, model, budget);
  if (level === "sequential") return sequential(history, model, budget);
  if (!isTransactionLevel(level) || level === "causal")
    return keepsSessionLevel(history, level, model, budget);
  throw new LockstepError("bad-input", `${level} is about transactions: "list-append" or "rw-register"`);
}
