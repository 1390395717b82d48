import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import { check } from "../check/check.js";
import type { FormatName } from "../check/formats/read-history.js";
import type { History } from "../check/history.js";
import {
  operationLevels,
  transactionLevels,
  type Level,
  type OperationLevel,
  type TransactionLevel,
} from "../check/level.js";
import type { Model } from "../check/model.js";
import type { Strongest } from "../check/strongest.js";
import { isWorkload, type Workload } from "../check/transactions/workload.js";
import type { Verdict } from "../check/verdict.js";
import { judgedObject } from "./check-object.js";

/** What is asked of a history; what is left out is found out. */
export interface Question {
  readonly as?: string | undefined;
  readonly level?: string | undefined;
  readonly initial?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The answer, and what exactly was asked. */
export interface Finding {
  readonly file: string;
  readonly format: FormatName;
  readonly history: History;
  readonly object: string;
  /** Sentences for people: what was found out or taken for granted. */
  readonly assumptions: readonly string[];
  /** Of the strongest level: what it says, or what the next one says if none is kept. */
  readonly verdict: Verdict;
  /** Present if that was asked. */
  readonly strongest?: Strongest | undefined;
}

type Read = Pick<Finding, "file" | "format" | "history">;

export function judge(read: Read, question: Question): Finding {
  const { history } = read;
  if (history.operations.length === 0) {
    throw new LockstepError(
      "bad-input",
      `${read.file}: there is no operation in it; nothing is to be judged`,
    );
  }
  const { name, object, assumptions } = judgedObject(history, question.as, question.initial);
  const asked = checkLevel(question.level) ?? usualLevel(history, object);
  const judged = check(history, question.timeoutMs === undefined ? {} : { timeoutMs: question.timeoutMs });
  const found = { ...read, object: name };
  if (asked === "strongest") {
    const strongest = judged.strongest(object);
    return { ...found, assumptions, verdict: verdictOf(strongest, object), strongest };
  }
  // Whether the level is one for this, `keeps` itself finds out.
  const verdict = isWorkload(object)
    ? judged.keeps(asked as TransactionLevel, object)
    : judged.keeps(asked as OperationLevel, object);
  const level = question.level === undefined ? [`${asked} is the usual level; --level asks for others`] : [];
  return { ...found, assumptions: [...assumptions, ...level], verdict };
}

function checkLevel(level: string | undefined): Level | "strongest" | undefined {
  const levels: readonly string[] = [...new Set([...operationLevels, ...transactionLevels]), "strongest"];
  if (level === undefined || levels.includes(level)) return level as Level | "strongest" | undefined;
  throw new LockstepError("bad-input", `there is no level ${shown(level)}; there are ${levels.join(", ")}`);
}

/** The strongest that can be judged: for transactions it is that of linearizability, if time is known. */
function usualLevel({ realTime }: History, object: Model | Workload): Level {
  if (isWorkload(object)) return realTime === false ? "serializable" : "strict-serializable";
  return realTime === false ? "sequential" : "linearizable";
}

function verdictOf({ level, next, verdicts }: Strongest, object: Model | Workload): Verdict {
  if (level !== undefined) return { is: "valid", level };
  const weakest = isWorkload(object) ? "read-uncommitted" : "eventual";
  const told = [next, verdicts.get(weakest), ...verdicts.values()].find((verdict) => verdict !== undefined);
  return told ?? { is: "unknown", level: weakest, reason: "no level could be judged", checked: 0, of: 0 };
}
