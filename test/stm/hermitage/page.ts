import { anomalies } from "./anomalies.js";
import { differencesAt, type Difference } from "./differences.js";
import { levels, type Cell, type Column } from "./matrix.js";

/** What was found, by level and by who played: first Postgres, then the ways of control here. */
export type Found = Readonly<Record<(typeof levels)[number], Readonly<Record<string, Column>>>>;

const names = anomalies.map(({ name }) => name);

/** All levels at a glance, and then each of them with what prevented an anomaly. */
export function tablesOf(found: Found): string {
  const glance = names.map((name) => [name, ...levels.map((level) => glanceAt(rowOf(found, level, name)))]);
  const parts = [table(["", ...levels.map(spoken)], glance)];
  for (const level of levels) {
    const rows = names.map((name) => [name, ...rowOf(found, level, name).map(([, cell]) => shown(cell))]);
    parts.push(`### ${spoken(level)}`, table(["", ...Object.keys(found[level])], rows));
    parts.push(...differencesAt(level).map(notedAs));
  }
  return parts.join("\n\n");
}

function rowOf(found: Found, level: keyof Found, name: string): [player: string, cell: Cell][] {
  return Object.entries(found[level]).map(([player, column]) => [player, column[name]!]);
}

function glanceAt([postgres, ...here]: readonly [player: string, cell: Cell][]): string {
  const occurs = here.some(([, cell]) => cell === "occurs");
  const verdict = occurs ? shown("occurs") : "prevented";
  return occurs === (postgres![1] === "occurs") ? verdict : `${verdict}, not in Postgres`;
}

function notedAs({ anomalies, reason }: Difference): string {
  const short = anomalies.map((name) => name.replace(/:.*/, ""));
  return `Why it is not the same in Postgres (${short.join(", ")}): ${reason}.`;
}

const shown = (cell: Cell) => (cell === "occurs" ? `**${cell}**` : cell);

const spoken = (level: string) => level.replace("-", " ");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "-"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
