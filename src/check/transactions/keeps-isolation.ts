import { LockstepError } from "../../base/errors.js";
import { shown } from "../../base/shown.js";
import { Budget, type CheckOptions } from "../budget.js";
import { checkHistory, type History } from "../history.js";
import type { TransactionLevel } from "../level.js";
import type { Anomaly, Verdict } from "../verdict.js";
import { Judgement } from "./judgement.js";
import { isWorkload, type Workload } from "./workload.js";

/** Whether the transactions keep the promise. */
export function keepsIsolation(
  history: History,
  level: TransactionLevel,
  workload: Workload,
  budget: Budget,
): Verdict {
  return isolationOf(history, workload)(level, budget);
}

/** The same for several levels of one history, in less time than one by one. */
export function isolationOf(
  history: History,
  workload: Workload,
): (level: TransactionLevel, budget: Budget) => Verdict {
  const judgement = new Judgement(history, workload);
  return (level, budget) => judgement.verdict(level, budget);
}

/**
 * All that went wrong between the transactions of a history, the most telling first: of each anomaly the
 * smallest instance that was found. No anomaly found is no proof of any level; `check(history).keeps` is.
 */
export function anomaliesOf(
  history: History,
  workload: Workload,
  options?: CheckOptions,
): readonly Anomaly[] {
  checkHistory(history);
  if (!isWorkload(workload)) {
    throw new LockstepError(
      "bad-input",
      `a workload is "list-append" or "rw-register", not ${shown(workload)}`,
    );
  }
  return new Judgement(history, workload).anomalies(new Budget(options));
}
