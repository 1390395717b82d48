import { LockstepError } from "../../base/errors.js";
import type { Budget } from "../budget.js";
import { describe, type History } from "../history.js";
import type { OperationLevel } from "../level.js";
import type { Model } from "../model.js";
import type { Verdict } from "../verdict.js";
import { AccessLog } from "./access-log.js";
import { causal, causalPlus } from "./causal.js";
import { clientGuarantees, type ClientGuarantee } from "./client-guarantees.js";
import { eventual } from "./eventual.js";
import { isAnomaly, type Finding } from "./finding.js";
import { judgeSources } from "./judge-sources.js";
import { writesFollowReads } from "./writes-follow-reads.js";

export type SessionLevel = Exclude<OperationLevel, "linearizable" | "sequential">;

type Judge = (log: AccessLog, sources: Int32Array, budget: Budget) => Finding;

const clientSide =
  (promise: ClientGuarantee | "pram"): Judge =>
  (log, sources, budget) =>
    clientGuarantees(promise, log, sources, budget);

const pram = clientSide("pram");

const judges: Readonly<Record<SessionLevel, Judge>> = {
  "causal+": causalPlus,
  causal,
  // Each by itself. Both together, each for what the other brings, are causal.
  session: (log, sources, budget) => {
    const finding = pram(log, sources, budget);
    if (isAnomaly(finding)) return finding;
    const other = writesFollowReads(log, sources, budget);
    return other === "valid" ? finding : other;
  },
  pram,
  "writes-follow-reads": writesFollowReads,
  "monotonic-writes": clientSide("monotonic writes"),
  "monotonic-reads": clientSide("monotonic reads"),
  "read-your-writes": clientSide("read your writes"),
  eventual,
};

/**
 * Whether the reads and writes of a history keep the promise. None of these promises speaks of time, save
 * that "eventual" asks when the writes were over: only what a client did before, and whose write was read,
 * says what came before what.
 */
export function keepsSessionLevel<State>(
  history: History,
  level: SessionLevel,
  model: Model<State>,
  budget: Budget,
): Verdict {
  return sessionLevelsOf(history, model)(level, budget);
}

/** The same for several levels of one history, in less time than one by one. */
export function sessionLevelsOf<State>(
  history: History,
  model: Model<State>,
): (level: SessionLevel, budget: Budget) => Verdict {
  if (!model.access) {
    throw new LockstepError(
      "bad-input",
      `such a level is about reads and writes: ask it of register(), say, or give ${model.name} an access`,
    );
  }
  const log = new AccessLog(history, model);
  return (level, budget) => {
    const judge = judges[level];
    const finding =
      unsaid(history, log, level) ?? judgeSources(log, budget, (sources) => judge(log, sources, budget));
    if (finding === "valid") return { is: "valid", level };
    if (isAnomaly(finding)) return { is: "violation", level, anomalies: [finding] };
    return { is: "unknown", level, reason: finding.unknown, checked: 0, of: history.operations.length };
  };
}

function unsaid(history: History, log: AccessLog, level: SessionLevel): Finding | undefined {
  if (log.unreadable) {
    const unreadable = describe(log.unreadable);
    return { unknown: `${unreadable} is not only a read or a write: ask for linearizable or sequential` };
  }
  if (level !== "eventual" || history.realTime !== false) return undefined;
  return { unknown: "the history does not say what was before what in real time: ask for causal" };
}
