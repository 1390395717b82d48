import type { ScheduleRow } from "./schedule-record.js";

/** A schedule to be read from top to bottom: a column for each task, a row for each step. */
export function scheduleTable(rows: readonly ScheduleRow[]): string {
  const tasks = [...new Set(rows.map(({ task }) => task))];
  const lines = [
    ["", ...tasks],
    ...rows.map(({ task, did }, index) => [
      `${index + 1}`,
      ...tasks.map((name) => (name === task ? did : "")),
    ]),
  ];
  const widths = lines[0]!.map((_title, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) => line.map((cell, column) => padded(cell, widths[column]!, column === 0)).join("  "))
    .map((line) => `  ${line}`.trimEnd())
    .join("\n");
}

function padded(cell: string, width: number, isNumber: boolean): string {
  return isNumber ? cell.padStart(width) : cell.padEnd(width);
}
