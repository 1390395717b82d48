import type { Control, Isolation } from "lockstep/stm";
import { anomalies, type Anomaly } from "./anomalies.js";
import { play, type Stage } from "./play.js";

export const levels = ["read-uncommitted", "read-committed", "repeatable-read", "serializable"] as const;
export const controls = ["optimistic", "pessimistic", "adaptive"] as const satisfies Control[];

/** Whether an anomaly occurs, and else what prevents it. */
export type Cell = "occurs" | `prevented: ${string}`;
/** By the names of the anomalies. */
export type Column = Readonly<Record<string, Cell>>;

/** Plays all scripts, each on a stage of its own. */
export async function measure(level: Isolation, stage: () => Stage | Promise<Stage>): Promise<Column> {
  const cells: [string, Cell][] = [];
  for (const anomaly of anomalies) cells.push([anomaly.name, await judge(anomaly, level, stage)]);
  return Object.fromEntries(cells);
}

/** An anomaly occurs if any of its scripts shows it. */
async function judge(anomaly: Anomaly, level: Isolation, stage: () => Stage | Promise<Stage>): Promise<Cell> {
  const played = [];
  for (const script of anomaly.scripts) played.push(await play(script, await stage()));
  if (played.some(anomaly.occurred)) return "occurs";
  const means = [
    played.some(({ waited }) => waited) && "waits",
    played.some(({ aborted }) => aborted) && "aborts",
  ].filter((means) => means !== false);
  if (means.length > 0) return `prevented: ${means.join(", ")}`;
  if (!anomaly.scripts.some((script) => script.includes(" as "))) return "prevented: writes all at once";
  const isOfOneMoment = levels.indexOf(level) >= levels.indexOf("repeatable-read") || isReadOnly(anomaly);
  return `prevented: sees ${isOfOneMoment ? "a snapshot" : "what is committed"}`;
}

function isReadOnly({ scripts }: Anomaly): boolean {
  return scripts.every((script) => script.includes("read only"));
}

/** Whether each anomaly may occur, by what the levels promise. */
export function promised(level: Isolation): Record<string, boolean> {
  const rank = levels.indexOf(level);
  return Object.fromEntries(
    anomalies.map(({ name, preventedFrom }) => [name, levels.indexOf(preventedFrom) > rank]),
  );
}

/** Whether each anomaly did occur. */
export function found(column: Column): Record<string, boolean> {
  return Object.fromEntries(Object.entries(column).map(([name, cell]) => [name, cell === "occurs"]));
}
