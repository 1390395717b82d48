import type { Budget } from "../budget.js";
import type { Anomaly } from "../verdict.js";
import type { AccessLog } from "./access-log.js";
import { isAnomaly, type Finding } from "./finding.js";
import { findSources, type OpenRead } from "./sources.js";

/**
 * Judges a history with each way in which its reads may have come by their values, until one is good. If each
 * value of a key is written once, there is one way only.
 *
 * A promise that is kept is also kept without some of the reads. So what is wrong without the open reads, or
 * with the first few of them given a writer each, stays wrong whatever the rest have read.
 */
export function judgeSources(
  log: AccessLog,
  budget: Budget,
  judge: (sources: Int32Array) => Finding,
): Finding {
  const found = findSources(log);
  if ("explanation" in found) return found;
  const { open, known } = found;
  const first = judge(known);
  if (first !== "valid" || open.length === 0) return first;
  // Most often, what is likely is true.
  const likely = known.slice();
  for (const { row, writers } of open) likely[row] = writers[0]!;
  if (judge(likely) === "valid") return "valid";
  return tryAll(known, open, budget, judge);
}

function tryAll(
  sources: Int32Array,
  open: readonly OpenRead[],
  budget: Budget,
  judge: (sources: Int32Array) => Finding,
): Finding {
  const none = sources.slice();
  // By open read: which of its writers is tried.
  const tried = new Int32Array(open.length).fill(-1);
  let anomaly: Anomaly | undefined;
  for (let depth = 0; depth >= 0;) {
    if (depth === open.length) return "valid";
    const { row, writers } = open[depth]!;
    if (++tried[depth]! === writers.length) {
      tried[depth] = -1;
      sources[row] = none[row]!;
      depth--;
      continue;
    }
    sources[row] = writers[tried[depth]!]!;
    const finding = budget.isSpent ? tooMany : judge(sources);
    if (finding === "valid") depth++;
    else if (isAnomaly(finding)) anomaly = finding;
    else return budget.isSpent ? tooMany : finding;
  }
  const explanation =
    `${anomaly!.explanation} Some values were written more than once; whichever of their writes were read, ` +
    "something is wrong, and this is what is wrong with some of them.";
  return { ...anomaly!, explanation };
}

const tooMany: Finding = {
  unknown:
    "values were written more than once, and there were too many ways in which the reads may have come by " +
    "them to try all: write unique values",
};
