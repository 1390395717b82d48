import type { Budget } from "../budget.js";
import type { History } from "../history.js";
import type { TransactionLevel } from "../level.js";
import type { Verdict } from "../verdict.js";

/** What the transactions of a history are made of: reads, and appends to lists or writes of unique values. */
export type Workload = "list-append" | "rw-register";

export function keepsIsolation(
  _history: History,
  _level: TransactionLevel,
  _workload: Workload,
  _budget: Budget,
): Verdict {
  throw new Error("being built");
}

export function isWorkload(object: unknown): object is Workload {
  return object === "list-append" || object === "rw-register";
}
