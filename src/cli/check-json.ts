import { toTagged } from "../check/formats/tagged-value.js";
import type { History, Operation } from "../check/history.js";
import type { Anomaly, Verdict } from "../check/verdict.js";
import type { Finding } from "./check-question.js";

/** The finding, for programs. Values that JSON lacks are tagged, as in a history's own lines. */
export function checkJson(finding: Finding): object {
  const { file, format, object, assumptions, history, verdict, strongest } = finding;
  return {
    verdict: verdict.is,
    level: verdict.level,
    file,
    format,
    object,
    assumptions,
    operations: history.operations.length,
    clients: new Set(history.operations.map(({ client }) => client)).size,
    ...details(verdict, history),
    ...(strongest && {
      strongest: strongest.level ?? null,
      levels: [...strongest.verdicts.values()].map((each) => ({
        verdict: each.is,
        level: each.level,
        ...details(each, history),
      })),
    }),
  };
}

function details(verdict: Verdict, history: History): object {
  if (verdict.is === "valid") return {};
  if (verdict.is === "violation")
    return { anomalies: verdict.anomalies.map((each) => anomalyJson(each, history)) };
  const { reason, checked, of } = verdict;
  return { reason, checked, of };
}

function anomalyJson(
  { name, explanation, key, operations, cycle, attempt }: Anomaly,
  history: History,
): object {
  const told = (operation: Operation) => operationJson(operation, history);
  return {
    name,
    explanation,
    ...(key !== undefined && { key: toTagged(key) }),
    operations: operations.map(told),
    ...(cycle && {
      cycle: cycle.map(({ from, to, relation, because }) => ({
        from: told(from),
        to: told(to),
        relation,
        because,
      })),
    }),
    ...(attempt && {
      attempt: {
        // It may be as long as the history: the lines of the calls will do.
        order: attempt.order.map(({ invoked }) => history.lines?.[invoked]),
        state: attempt.state,
        stuck: attempt.stuck.map(({ operation, because }) => ({ operation: told(operation), because })),
      },
    }),
  };
}

function operationJson(operation: Operation, { lines }: History): object {
  const { client, name, args, result, outcome, invoked, returned } = operation;
  return {
    line: lines?.[invoked],
    answerLine: lines?.[returned],
    client,
    name,
    args: toTagged(args),
    outcome,
    ...(result !== undefined && { result: toTagged(result) }),
  };
}
