// Eight processes want one lock again and again. Both the stay in the section and the time outside it are
// timers, so that the processors are free for the locks.
import { median, quantile } from "./alternate.js";
import type { Comparison } from "./comparison.js";
import type { Go, Section } from "./contended-worker.js";
import { Worker } from "./processes.js";
import type { Table, Target } from "./report.js";

const processes = 8;
/** At first the processes are still compiling. */
const warmUpMs = 1000;
/** For all to hear of it before it begins. */
const startDelayMs = 200;

export const contestRounds = 3;
export const contestMs = 8000;

/** What is measured of a contest; times in milliseconds. */
export type Contest = {
  readonly perSecond: number;
  readonly handOverP50: number;
  readonly handOverP99: number;
  readonly handOvers: number;
  readonly waitP50: number;
  readonly waitP99: number;
  readonly waitMax: number;
  readonly most: number;
  readonly fewest: number;
  /** How much less the process that was served least had than the one that was served most. */
  readonly spread: number;
  /** Sections that began before the one before had ended: none, or it is no lock. */
  readonly overlaps: number;
  /** All of them, those of the warm-up too. */
  readonly sections: number;
};

/** Of which less is better. */
export const contestCosts = ["handOverP50", "handOverP99", "waitP50", "waitP99", "waitMax", "spread"];

/** Lets the processes contend for a lock of one contender of a module. */
export async function contest(
  module: string,
  name: string,
  place: string,
  measuredMs = contestMs,
): Promise<Contest> {
  const workers = Array.from(
    { length: processes },
    () => new Worker("contended-worker.ts", [module, name, place]),
  );
  await Promise.all(workers.map((worker) => worker.answer()));
  const from = process.hrtime.bigint() + BigInt(startDelayMs * 1e6);
  const go: Go = { from: from.toString(), forMs: warmUpMs + measuredMs };
  for (const worker of workers) worker.tell(go);
  const byProcess = await Promise.all(workers.map((worker) => worker.answer<Section[]>()));
  await Promise.all(workers.map((worker) => worker.end()));
  return judge(byProcess, measuredMs);
}

function judge(byProcess: readonly (readonly Section[])[], measuredMs: number): Contest {
  const isMeasured = ({ acquired }: Section) => acquired >= warmUpMs && acquired < warmUpMs + measuredMs;
  const counts = byProcess.map((sections) => sections.filter(isMeasured).length);
  const all = byProcess.flat().sort((a, b) => a.acquired - b.acquired);
  const handOvers: number[] = [];
  let overlaps = 0;
  for (const [index, next] of all.entries()) {
    const before = all[index - 1];
    if (!before) continue;
    if (next.acquired < before.releasing) overlaps++;
    // A hand-over takes a next one who is waiting already.
    if (isMeasured(next) && next.asked < before.releasing) handOvers.push(next.acquired - before.releasing);
  }
  const waits = all.filter(isMeasured).map(({ asked, acquired }) => acquired - asked);
  const [most, fewest] = [Math.max(...counts), Math.min(...counts)];
  return {
    perSecond: waits.length / (measuredMs / 1000),
    handOverP50: median(handOvers),
    handOverP99: quantile(handOvers, 0.99),
    handOvers: handOvers.length,
    waitP50: median(waits),
    waitP99: quantile(waits, 0.99),
    waitMax: quantile(waits, 1),
    most,
    fewest,
    spread: 1 - fewest / most,
    overlaps,
    sections: all.length,
  };
}

/** A row for each contender. */
export function contestTable(contests: Comparison): Table {
  const whole = (figure: number) => Math.round(figure).toLocaleString("en");
  const times = ["handOverP50", "handOverP99", "waitP50", "waitP99", "waitMax"];
  return {
    title:
      `Contended: ${processes} processes, 1 ms in the section, 5 ms outside, ${contestMs / 1000} s ` +
      `(median of ${contestRounds} rounds, by turns; milliseconds)`,
    head: [
      "",
      "acquired/s",
      "hand-over p50",
      "p99",
      "wait p50",
      "p99",
      "max",
      "most / fewest per process",
      "overlaps",
    ],
    rows: contests.subjects.map((name) => [
      name,
      ...contests.cells(name, ["perSecond"], whole),
      ...contests.cells(name, times, (ms) => ms.toFixed(2)),
      contests.cells(name, ["most", "fewest"], String).join(" / "),
      String(sum(contests.rounds(name, "overlaps")!)),
    ]),
  };
}

/** What is asked of ours on any store: that all are served alike, and one at a time. */
export function fairnessTargets(contests: Comparison): Target[] {
  const spread = contests.median("lockstep", "spread")!;
  const overlaps = sum(contests.rounds("lockstep", "overlaps")!);
  return [
    {
      what: "spread of acquisitions per process",
      target: "≤ 5 %",
      measured: `${(spread * 100).toFixed(1)} %`,
      isMet: spread <= 0.05,
    },
    { what: "sections that overlap", target: "0", measured: String(overlaps), isMet: overlaps === 0 },
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
