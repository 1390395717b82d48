import { counted } from "../base/counted.js";
import { clientText, valueText, type History, type Operation } from "../check/history.js";
import { operationText } from "../check/operation-text.js";
import type { Strongest } from "../check/strongest.js";
import type { Anomaly, Attempt, Edge, Verdict } from "../check/verdict.js";
import type { Finding } from "./check-question.js";
import { bold, dim } from "./style.js";
import { printable, table } from "./table.js";

const longestOperation = 160;
/** More than these of a kind help nobody who reads. */
const mostAnomalies = 3;
const mostOperations = 20;
const tailLength = 8;

/** The finding, for people; the verdict is the first line's first word. */
export function checkText(finding: Finding): string {
  const { verdict, strongest, history } = finding;
  const parts = [`${headline(finding)}\n${dim(circumstances(finding))}\n`];
  const shown = strongest ? (strongest.level === undefined ? verdict : strongest.next) : verdict;
  if (strongest) parts.push(levels(strongest));
  if (strongest?.level !== undefined && shown?.is === "violation") parts.push(`It breaks ${shown.level}:\n`);
  if (shown?.is === "violation") {
    const { anomalies } = shown;
    parts.push(...anomalies.slice(0, mostAnomalies).map((anomaly) => anomalyText(anomaly, history)));
    const more = anomalies.length - mostAnomalies;
    if (more > 0) parts.push(`and ${more} more; --json and --html show them all\n`);
  }
  return parts.join("\n");
}

function headline({ file, verdict, strongest }: Finding): string {
  const level = bold(verdict.level);
  if (strongest?.level !== undefined) return `valid: ${file} keeps ${level}${beyond(strongest)}`;
  if (verdict.is === "valid") return `valid: ${file} keeps ${level}`;
  if (verdict.is === "violation") return `violation: ${file} breaks ${level}`;
  const { reason, checked, of } = verdict;
  const progress = of > 0 ? ` (got through ${checked} of ${of} operations)` : "";
  return `unknown: whether ${file} keeps ${level} was not found out: ${clean(reason)}${progress}`;
}

function beyond({ next }: Strongest): string {
  if (next === undefined) return ", the strongest";
  if (next.is === "violation") return `, and breaks ${next.level}`;
  return `; whether it keeps ${next.level} was not found out`;
}

function circumstances({ history, format, object, assumptions }: Finding): string {
  const { operations } = history;
  const clients = new Set(operations.map(({ client }) => client)).size;
  const size = `${counted(operations.length, "operation")} of ${counted(clients, "client")}`;
  const facts = `${size}, read as ${format}, judged as ${object}`;
  return [facts, ...assumptions].map((line) => `  ${clean(line)}`).join("\n");
}

function levels({ verdicts }: Strongest): string {
  const rows = [...verdicts].map(([level, verdict]) => [level, verdict.is, detail(verdict)]);
  return table(["LEVEL", "VERDICT", ""], rows);
}

function detail(verdict: Verdict): string {
  if (verdict.is === "violation") return verdict.anomalies[0].name;
  return verdict.is === "unknown" ? verdict.reason : "";
}

function anomalyText(
  { name, key, explanation, operations, cycle, attempt }: Anomaly,
  history: History,
): string {
  const about = key === undefined || key === null ? "" : `, key ${cut(valueText(key))}`;
  const parts = [`${bold(clean(name))}${about}\n  ${clean(explanation)}\n`];
  // Those of the cycle are told with it.
  const told = new Set(cycle?.map(({ from }) => from));
  const others = operations.filter((each) => !told.has(each));
  if (cycle) {
    const heading = "Each must come before the next, and the last before the first:";
    parts.push(`${heading}\n\n${cycleTable(cycle, history)}`);
    if (others.length > 0) parts.push("What that rests on:\n");
  }
  if (others.length > 0) parts.push(operationTable(others, history));
  if (attempt) parts.push(attemptText(attempt, history));
  return parts.join("\n");
}

function operationTable(operations: readonly Operation[], history: History): string {
  const shown = operations.slice(0, mostOperations);
  const rows = shown.map((each) => [lines(each, history), String(each.client), cut(operationText(each))]);
  const more = operations.length - shown.length;
  return (
    table(["LINES", "CLIENT", "OPERATION"], rows) +
    (more > 0 ? `  and ${counted(more, "operation")} more\n` : "")
  );
}

/** The explanation tells what the edges rest on. */
function cycleTable(cycle: readonly Edge[], history: History): string {
  const rows = cycle.map(({ from, relation }) => [
    lines(from, history),
    String(from.client),
    relation,
    cut(operationText(from)),
  ]);
  return table(["LINES", "CLIENT", "TO NEXT", "OPERATION"], rows);
}

function attemptText({ order, state, stuck }: Attempt, history: History): string {
  const tail = order.slice(-tailLength);
  const before = order.length - tail.length;
  const steps = tail.map((each) => `  ${told(each, history)}\n`).join("");
  const whys = stuck.slice(0, mostOperations).map(({ operation, because }) => {
    return `  ${told(operation, history)}: ${clean(because)}\n`;
  });
  const head =
    before > 0
      ? `The longest order that could be found, after ${counted(before, "operation")}:`
      : "The longest order that could be found:";
  return `${head}\n${steps}Then the state is ${cut(state)}, and none of these can be next:\n${whys.join("")}`;
}

/** From the call to the answer, if there was one. */
function lines({ invoked, returned }: Operation, history: History): string {
  const call = history.lines?.[invoked];
  return call === undefined ? "" : `${call}-${history.lines?.[returned] ?? ""}`;
}

/** Where it is, whose it is, and what: many do the same. */
function told(operation: Operation, history: History): string {
  const line = history.lines?.[operation.invoked];
  const where = line === undefined ? "" : `line ${line}: `;
  return `${where}${cut(`${clientText(operation.client)}'s ${operationText(operation)}`)}`;
}

function cut(text: string): string {
  const whole = clean(text);
  return whole.length <= longestOperation ? whole : `${whole.slice(0, longestOperation - 1)}…`;
}

/** What stood in the file must not move the cursor. */
function clean(text: string): string {
  return printable(text);
}
