// Each of the other primitives, beside what it costs to wake a task with a bare promise.
import { measureApart, rounds } from "./apart.js";
import { Comparison } from "./comparison.js";
import type { Report } from "./report.js";
import { counted } from "./sync/counted.js";

export async function syncRest(): Promise<Report> {
  const results = await measureApart("./sync/rest.js", Object.keys(counted));
  const comparison = new Comparison(results);
  const ratio = (name: string, peer: string) => comparison.ratioOf(name, peer, "each");
  return {
    title: `The others: millions a second (median of ${rounds} rounds, by turns)`,
    head: ["", "counted", "millions/s", "to a bare promise"],
    rows: Object.entries(counted).map(([name, what]) => [
      name,
      what,
      ...comparison.cells(name, ["each"], (perSecond) => (perSecond / 1e6).toFixed(2)),
      `${ratio(name, "bare promise").toFixed(2)} ×`,
    ]),
    targets: ["p-limit", "p-queue"].map((peer) => {
      const measured = ratio("Limiter", peer);
      return {
        what: `Limiter, ten at once, 100 wait, to ${peer}`,
        target: "≥ 1 ×",
        measured: `${measured.toFixed(2)} ×`,
        isMet: measured >= 1,
      };
    }),
    figures: Object.fromEntries(
      Object.keys(counted).map((name) => [
        name,
        { perSecond: comparison.median(name, "each"), rounds: comparison.rounds(name, "each") },
      ]),
    ),
  };
}
