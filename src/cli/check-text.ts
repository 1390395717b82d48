import { describe, valueText, type History, type Operation } from "../check/history.js";
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
export function checkText(finding: Finding, picture?: string): string {
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
  if (picture !== undefined) parts.push(`The picture is in ${picture}\n`);
  return parts.join("\n");
}

function headline({ file, verdict, strongest }: Finding): string {
  const level = bold(verdict.level);
  if (strongest?.level !== undefined) return `valid: ${file} keeps ${level}${beyond(strongest)}`;
  if (verdict.is === "valid") return `valid: ${file} is ${level}`;
  if (verdict.is === "violation") return `violation: ${file} is not ${level}`;
  const { reason, checked, of } = verdict;
  const progress = of > 0 ? ` (got through ${checked} of ${of} operations)` : "";
  return `unknown: whether ${file} is ${level} was not found out: ${clean(reason)}${progress}`;
}

function beyond({ next }: Strongest): string {
  if (next === undefined) return ", the strongest";
  if (next.is === "violation") return ", and nothing stronger";
  return `; whether it keeps ${next.level} was not found out`;
}

function circumstances({ history, format, object, assumptions }: Finding): string {
  const { operations } = history;
  const clients = new Set(operations.map(({ client }) => client)).size;
  const size = `${count(operations.length, "operation")} of ${count(clients, "client")}`;
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
  if (operations.length > 0) parts.push(operationTable(operations, history));
  if (cycle)
    parts.push(
      `Each must come before the next, and the last before the first:\n${cycleText(cycle, history)}`,
    );
  if (attempt) parts.push(attemptText(attempt, history));
  return parts.join("\n");
}

function operationTable(operations: readonly Operation[], history: History): string {
  const shown = operations.slice(0, mostOperations);
  const rows = shown.map((each) => [lines(each, history), String(each.client), cut(told(each))]);
  const more = operations.length - shown.length;
  return (
    table(["LINES", "CLIENT", "OPERATION"], rows) +
    (more > 0 ? `  and ${count(more, "operation")} more\n` : "")
  );
}

function cycleText(cycle: readonly Edge[], history: History): string {
  return cycle
    .map(({ from, relation, because }) => {
      const which = `${lineName(from, history)}${cut(told(from))}`;
      return `  ${which}\n    ${dim(`${relation}: ${clean(because)}`)}\n`;
    })
    .join("");
}

function attemptText({ order, state, stuck }: Attempt, history: History): string {
  const tail = order.slice(-tailLength);
  const before = order.length - tail.length;
  const steps = tail.map((each) => `  ${lineName(each, history)}${cut(told(each))}\n`).join("");
  const whys = stuck.slice(0, mostOperations).map(({ operation, because }) => {
    return `  ${lineName(operation, history)}${cut(told(operation))}: ${clean(because)}\n`;
  });
  const head =
    before > 0
      ? `The longest order that could be found, after ${count(before, "operation")}:`
      : "The longest order that could be found:";
  return `${head}\n${steps}Then the state is ${cut(state)}, and none of these can be next:\n${whys.join("")}`;
}

/** Of a transaction, what it answered says all: the call is the same, save for what was read. */
function told(operation: Operation): string {
  const { name, outcome, result } = operation;
  if (name !== "txn" || outcome !== "ok" || result === undefined) return describe(operation);
  return describe({ ...operation, args: [result], result: undefined });
}

/** From the call to the answer, if there was one. */
function lines({ invoked, returned }: Operation, history: History): string {
  const call = history.lines?.[invoked];
  return call === undefined ? "" : `${call}-${history.lines?.[returned] ?? ""}`;
}

function lineName(operation: Operation, history: History): string {
  const line = history.lines?.[operation.invoked];
  return line === undefined ? "" : `line ${line}: `;
}

function count(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}

function cut(text: string): string {
  const whole = clean(text);
  return whole.length <= longestOperation ? whole : `${whole.slice(0, longestOperation - 1)}…`;
}

/** What stood in the file must not move the cursor. */
function clean(text: string): string {
  return printable(text);
}
