// Optimistic, pessimistic and adaptive, where few or many refs are wanted by all: the textbook's claim.
import { measureApart, type Round } from "./apart.js";
import { Comparison } from "./comparison.js";
import type { Report } from "./report.js";
import { controls } from "./stm/contention.js";

const refs = [1, 4, 16, 64, 10_000];
const others = ["optimistic", "pessimistic"];
const wanted = 0.95;
/** What is wanted is near 1, and one process is not like the next: it takes many to tell. */
const generations = 4;

export async function stmContention(): Promise<Report> {
  const commits = refs.map((count) => `commits, ${count}`);
  const calls = refs.map((count) => `calls, ${count}`);
  const comparison = new Comparison(await measureEach(), calls);
  /** What adaptive is of the better of the others, which is the one beside which it looks worse. */
  const ratios = commits.map((workload) =>
    Math.min(...others.map((other) => comparison.ratioOf("adaptive", other, workload))),
  );
  const rows = (workloads: readonly string[], show: (figure: number) => string) =>
    controls.map((control) => [control, ...comparison.cells(control, workloads, show)]);
  const head = ["", ...refs.map((count) => `${count.toLocaleString("en")} ${count === 1 ? "ref" : "refs"}`)];
  const rounds = comparison.rounds("adaptive", commits[0]!)!.length;
  return {
    title: `100 tasks: thousands of commits a second (median of ${rounds} rounds, by turns)`,
    head,
    rows: [
      ...rows(commits, (perSecond) => (perSecond / 1e3).toFixed(0)),
      ["adaptive to the better", ...ratios.map((ratio) => `${ratio.toFixed(2)} ×`)],
    ],
    further: [
      { title: "Calls of a block for each commit", head, rows: rows(calls, (figure) => figure.toFixed(2)) },
    ],
    targets: ratios.map((ratio, index) => ({
      what: `adaptive to the better of the others, ${head[index + 1]!}`,
      target: `≥ ${wanted} ×`,
      measured: `${ratio.toFixed(2)} ×`,
      isMet: ratio >= wanted,
    })),
    figures: {
      ...comparison.figures([...commits, ...calls]),
      adaptiveToTheBetter: Object.fromEntries(refs.map((count, index) => [count, ratios[index]])),
    },
  };
}

/** The three beside each other on so many refs, then on the next number of them. */
async function measureEach(): Promise<Map<string, Round[]>> {
  const all = new Map<string, Round[]>();
  for (const count of refs) {
    const results = await measureApart("./stm/contention.js", controls, {
      place: String(count),
      generations,
    });
    for (const [control, rounds] of results) {
      const before = all.get(control);
      all.set(
        control,
        rounds.map((round, index) => ({ ...before?.[index], ...round })),
      );
    }
  }
  return all;
}
