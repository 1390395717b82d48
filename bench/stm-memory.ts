// A million updates, and one short-lived snapshot at a time: what is left of them.
import { measureApart, rounds } from "./apart.js";
import { Comparison } from "./comparison.js";
import type { Report } from "./report.js";
import { marks, subjects } from "./stm/versions.js";

const workloads = marks.map(String);
const mostMb = 1;

export async function stmMemory(): Promise<Report> {
  const results = await measureApart("./stm/versions.js", Object.keys(subjects), { flags: ["--expose-gc"] });
  const comparison = new Comparison(results, workloads);
  const megabytes = (figure: number) => figure.toFixed(2);
  return {
    title: `What the heap grew by, in MB, a snapshot open all the while (median of ${rounds} rounds)`,
    head: ["", ...marks.map((mark) => `${mark.toLocaleString("en")} updates`)],
    rows: comparison.subjects.map((subject) => [subject, ...comparison.cells(subject, workloads, megabytes)]),
    targets: comparison.subjects.map((subject) => {
      const [first, , last] = workloads.map((workload) => comparison.median(subject, workload)!);
      const grown = last! - first!;
      return {
        what: `${subject}: from ${marks[0]!.toLocaleString("en")} to a million`,
        target: `≤ ${mostMb} MB`,
        measured: `${megabytes(grown)} MB`,
        isMet: grown <= mostMb,
      };
    }),
    figures: comparison.figures(workloads),
  };
}
