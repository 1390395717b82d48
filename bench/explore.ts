// How many schedules a second the explorer plays, beside fast-check's scheduler on the same programs.
import { measureApart, rounds } from "./apart.js";
import { Comparison } from "./comparison.js";
import { sizes, subjects } from "./explore/schedulers.js";
import type { Report } from "./report.js";

const peer = "fast-check";

export async function explore(): Promise<Report> {
  const results = await measureApart("./explore/schedulers.js", Object.keys(subjects));
  const comparison = new Comparison(results);
  const workloads = Object.keys(sizes);
  const thousands = (perSecond: number) => (perSecond / 1000).toFixed(1);
  return {
    title: `Exploring: thousands of schedules a second (median of ${rounds} rounds, by turns)`,
    head: ["", ...workloads],
    rows: Object.keys(subjects).map((name) => [name, ...comparison.cells(name, workloads, thousands)]),
    targets: workloads.map((workload) => {
      const ratio = comparison.ratioOf("lockstep", peer, workload);
      return {
        what: `schedules a second, ${workload}, to ${peer}`,
        target: "≥ 10 ×",
        measured: `${ratio.toFixed(1)} ×`,
        isMet: ratio >= 10,
      };
    }),
    figures: comparison.figures(workloads),
  };
}
