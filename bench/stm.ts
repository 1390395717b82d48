// lockstep/stm beside the transactions of Effect.
import { measureApart, rounds } from "./apart.js";
import { Comparison } from "./comparison.js";
import type { Report, Target } from "./report.js";
import { subjects } from "./stm/transactions.js";

const paces = {
  increments: "one ref, one after the other",
  atOnce: "no await",
  transfers: "2 of 1,000 refs, one after the other",
  hot: "one ref, 100 tasks, an await inside",
};
const costs = { hotCalls: "calls of a block per commit of these" };
const peer = "Effect";
const mostCalls = 1.5;

export async function stm(): Promise<Report> {
  const results = await measureApart("./stm/transactions.js", Object.keys(subjects));
  const comparison = new Comparison(results, Object.keys(costs));
  const thousands = (perSecond: number) => (perSecond / 1e3).toFixed(0);
  const cells = (subject: string) => [
    subject,
    ...comparison.cells(subject, Object.keys(paces), thousands),
    ...comparison.cells(subject, Object.keys(costs), (calls) => calls.toFixed(2)),
  ];
  return {
    title: `Transactions: thousands of commits a second (median of ${rounds} rounds, by turns)`,
    head: ["", ...Object.values(paces), ...Object.values(costs)],
    rows: comparison.subjects.map(cells),
    targets: targets(comparison),
    figures: comparison.figures(Object.keys({ ...paces, ...costs })),
  };
}

function targets(comparison: Comparison): Target[] {
  const atLeast = (what: string, wanted: number, measured: number) => ({
    what: `${what}, to ${peer}`,
    target: `≥ ${wanted} ×`,
    measured: `${measured.toFixed(1)} ×`,
    isMet: measured >= wanted,
  });
  const calls = comparison.median("lockstep, adaptive", "hotCalls")!;
  return [
    atLeast(paces.increments, 5, comparison.ratio("increments")),
    atLeast(paces.transfers, 5, comparison.ratio("transfers")),
    atLeast(`adaptive, ${paces.hot}`, 10, comparison.ratioOf("lockstep, adaptive", peer, "hot")),
    {
      what: `adaptive, ${costs.hotCalls}`,
      target: `≤ ${mostCalls}`,
      measured: calls.toFixed(2),
      isMet: calls <= mostCalls,
    },
    atLeast(`one ref, ${paces.atOnce}`, 10, comparison.ratio("atOnce")),
  ];
}
