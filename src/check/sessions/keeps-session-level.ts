import type { Budget } from "../budget.js";
import type { History } from "../history.js";
import type { OperationLevel } from "../level.js";
import type { Model } from "../model.js";
import type { Verdict } from "../verdict.js";

export type SessionLevel = Exclude<OperationLevel, "linearizable" | "sequential">;

export function keepsSessionLevel<State>(
  _history: History,
  _level: SessionLevel,
  _model: Model<State>,
  _budget: Budget,
): Verdict {
  throw new Error("being built");
}
