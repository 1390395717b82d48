import type { Budget } from "./budget.js";
import type { History } from "./history.js";
import type { Level } from "./level.js";
import type { Model } from "./model.js";
import type { Workload } from "./transactions/keeps-isolation.js";
import type { Verdict } from "./verdict.js";

/** The strongest promise that a history keeps. */
export interface Strongest {
  /** None, if it breaks even the weakest. */
  readonly level: Level | undefined;
  /** What the next stronger one says, with the shortest counterexample; undefined if it keeps all. */
  readonly next: Verdict | undefined;
  /** What each level that was looked at says. */
  readonly verdicts: ReadonlyMap<Level, Verdict>;
}

export function strongest(_history: History, _object: Model | Workload, _budget: Budget): Strongest {
  throw new Error("being built");
}
