import type { Budget } from "../budget.js";
import type { History } from "../history.js";
import type { Model } from "../model.js";
import type { Verdict } from "../verdict.js";

export function sequential<State>(_history: History, _model: Model<State>, _budget: Budget): Verdict {
  throw new Error("being built");
}
