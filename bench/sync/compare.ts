import { measureApart, rounds } from "../apart.js";
import { Comparison } from "../comparison.js";
import type { Table } from "../report.js";

/** Columns of a table: what is measured, and what that is called. */
export type Columns = Record<string, string>;

const costs = { bytesPerWaiter: "heap bytes per waiter" };

/** Measures the `subjects` of a module of this folder, Lockstep's first. */
export async function compare(module: string, peers: readonly string[]): Promise<Comparison> {
  const results = await measureApart(`./sync/${module}.js`, ["lockstep", ...peers], {
    flags: ["--expose-gc"],
  });
  return new Comparison(results, Object.keys(costs));
}

/** A row for each subject, in millions a second; and one that says what Lockstep is beside the best peer. */
export function paceTable(title: string, comparison: Comparison, columns: Columns): Table {
  const workloads = Object.keys(columns);
  const cells = (subject: string) => [
    subject,
    ...comparison.cells(subject, workloads, (perSecond) => (perSecond / 1e6).toFixed(2)),
  ];
  return {
    title: `${title}: millions a second (median of ${rounds} rounds, by turns)`,
    head: ["", ...Object.values(columns)],
    rows: [...comparison.subjects.map(cells), ["lockstep to the best", ...comparison.ratios(workloads)]],
  };
}

/** The same of locks, with what each who waits costs. */
export function lockTable(title: string, comparison: Comparison, columns: Columns): Table {
  const table = paceTable(`${title}, pairs of acquire and release`, comparison, columns);
  const bytes = comparison.subjects.map((subject) =>
    comparison.cells(subject, Object.keys(costs), (figure) => figure.toFixed(0)),
  );
  const rows = table.rows.map((row, index) => [...row, ...(bytes[index] ?? [""])]);
  return { ...table, head: [...table.head, ...Object.values(costs)], rows };
}

export function lockFigures(comparison: Comparison, columns: Columns): Record<string, unknown> {
  return comparison.figures(Object.keys({ ...columns, ...costs }));
}
