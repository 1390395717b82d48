// The bank account: what each way costs, and what it costs to have none.
import { measureApart, rounds } from "./apart.js";
import { Comparison } from "./comparison.js";
import type { Report } from "./report.js";
import { awaits, sizes, subjects, unprotected } from "./stm/bank.js";

export async function stmBank(): Promise<Report> {
  const comparison = new Comparison(await measureApart("./stm/bank.js", Object.keys(subjects)));
  const times = sizes.flatMap((size) => Object.keys(awaits).map((awaited) => `${size} accounts, ${awaited}`));
  const losses = times.map((workload) => `lost, ${workload}`);
  for (const subject of comparison.subjects) {
    const lost = losses.some((workload) => comparison.rounds(subject, workload)!.some((part) => part > 0));
    if (lost !== (subject === unprotected))
      throw new Error(`${subject}: ${lost ? "something" : "nothing"} is lost`);
  }
  return {
    title: `Transfers by 100 tasks: µs each (median of ${rounds} rounds, by turns)`,
    head: ["", ...times],
    rows: [
      ...comparison.subjects.map((subject) => [
        subject,
        ...comparison.cells(subject, times, (us) => us.toFixed(us < 100 ? 2 : 0)),
      ]),
      [
        `lost if ${unprotected}`,
        ...comparison.cells(unprotected, losses, (part) => `${(100 * part).toFixed(0)} %`),
      ],
    ],
    targets: [],
    figures: comparison.figures([...times, ...losses]),
  };
}
