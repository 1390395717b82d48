import type { ScheduleRow } from "./schedule-record.js";

/** Of longer schedules only the beginning and the end are shown. */
const mostRows = 100;
const rowsAtEachEnd = 20;
/** What a terminal shows, more or less; columns are made narrower for it, but never too narrow to read. */
const widest = 140;
const narrowestCell = 14;

/** A schedule to be read from top to bottom: a column for each task, a row for each step. */
export function scheduleTable(rows: readonly ScheduleRow[]): string {
  const tasks = [...new Set(rows.map(({ task }) => task))];
  const numbered = rows.map(({ task, did }, index) => [
    `${index + 1}`,
    ...tasks.map((name) => (name === task ? did : "")),
  ]);
  const isLong = rows.length > mostRows;
  const beginning = isLong ? numbered.slice(0, rowsAtEachEnd) : numbered;
  const end = isLong ? numbered.slice(-rowsAtEachEnd) : [];
  const widths = widthsFor([["", ...tasks], ...beginning, ...end]);
  const lines = (cells: readonly string[][]) => cells.map((line) => lineOf(line, widths));
  const left = (rows.length - 2 * rowsAtEachEnd).toLocaleString("en-US");
  const between = isLong ? [`  … ${left} steps, which are in the error's \`schedule\` …`] : [];
  return [...lines([["", ...tasks]]), ...lines(beginning), ...between, ...lines(end)].join("\n");
}

/** As wide as the widest cell, or else all equally narrow. */
function widthsFor(lines: readonly (readonly string[])[]): number[] {
  const natural = lines[0]!.map((_title, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const within = (most: number) => natural.map((width) => Math.min(width, most));
  const totalOf = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width + 2, 0);
  let most = Math.max(...natural);
  while (most > narrowestCell && totalOf(within(most)) > widest) most--;
  return within(most);
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const text = shortened(cell, widths[column]!);
    return column === 0 ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  });
  return `  ${padded.join("  ")}`.trimEnd();
}

/** Leaves out the middle: what it is called stands at the beginning, and what came of it at the end. */
function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const ending = Math.floor(length / 3);
  return `${text.slice(0, length - ending - 1)}…${text.slice(text.length - ending)}`;
}
