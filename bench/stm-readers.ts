// Those who read a lot while others write: how often they must begin again.
import { measureApart, rounds } from "./apart.js";
import { Comparison } from "./comparison.js";
import type { Report, Target } from "./report.js";
import { patience, subjects, writers } from "./stm/readers.js";

const reads = writers.map((count) => `reads, ${count}`);
const calls = writers.map((count) => `calls, ${count}`);
const mostCalls = 5;

export async function stmReaders(): Promise<Report> {
  const results = await measureApart("./stm/readers.js", Object.keys(subjects));
  const comparison = new Comparison(results, calls);
  const millions = (perSecond: number) => (perSecond === 0 ? "starved" : (perSecond / 1e6).toFixed(2));
  const most = (subject: string, workload: string) => Math.max(...comparison.rounds(subject, workload)!);
  const shown = (figure: number) => (figure > patience ? `over ${patience}` : String(figure));
  return {
    title:
      "A reader of 100 refs and those who write them meanwhile: millions of refs read a second, and the " +
      `most calls of its block (${rounds} rounds, by turns)`,
    head: [
      "",
      ...[...writers, ...writers].map(
        (count, at) => `${at < writers.length ? "reads" : "calls"}, ${count} write`,
      ),
    ],
    rows: comparison.subjects.map((subject) => [
      subject,
      ...comparison.cells(subject, reads, millions),
      ...calls.map((workload) => shown(most(subject, workload))),
    ]),
    targets: writers.flatMap((count) => [
      ...["lockstep", "lockstep, and writes the sum"].map((subject) =>
        atMost(`calls, ${subject}, ${count} write`, mostCalls, most(subject, `calls, ${count}`)),
      ),
      atMost(`calls, read-only, ${count} write`, 1, most("lockstep, read-only", `calls, ${count}`)),
    ]),
    figures: comparison.figures([...reads, ...calls]),
  };
}

function atMost(what: string, wanted: number, measured: number): Target {
  return { what, target: `≤ ${wanted}`, measured: String(measured), isMet: measured <= wanted };
}
