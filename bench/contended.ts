// Eight processes want one lock again and again. Both the stay in the section and the time outside it are
// timers, so that the processors are free for the locks.
import { alternate, median, medianRatio, quantile } from "./alternate.js";
import { contendersHere, type ContenderName } from "./contenders.js";
import type { Go, Section } from "./contended-worker.js";
import { inDirectory, Worker } from "./processes.js";
import type { Report, Target } from "./report.js";

const processes = 8;
const rounds = 3;
const measuredMs = 8000;
/** At first the processes are still compiling. */
const warmUpMs = 1000;
/** For all to hear of it before it begins. */
const startDelayMs = 200;

interface Contest {
  readonly perSecond: number;
  readonly handOverP50: number;
  readonly handOverP99: number;
  readonly handOvers: number;
  readonly waitP50: number;
  readonly waitP99: number;
  readonly waitMax: number;
  readonly most: number;
  readonly fewest: number;
  /** Sections that began before the one before had ended: none, or it is no lock. */
  readonly overlaps: number;
}

export async function contended(hasFlock: boolean): Promise<Report> {
  const names = contendersHere(hasFlock).filter((name) => name !== "flock by name");
  const results = await alternate(
    rounds,
    names.map((name) => ({ name, measure: () => contest(name) })),
  );
  const figures = (name: ContenderName, figure: keyof Contest) =>
    results.get(name)!.map((round) => round[figure]);
  const of = (name: ContenderName, figure: keyof Contest) => median(figures(name, figure));
  const cells = (name: ContenderName) => [
    name,
    Math.round(of(name, "perSecond")).toLocaleString("en"),
    ...(["handOverP50", "handOverP99", "waitP50", "waitP99", "waitMax"] as const).map((figure) =>
      of(name, figure).toFixed(2),
    ),
    `${of(name, "most")} / ${of(name, "fewest")}`,
    String(sum(figures(name, "overlaps"))),
  ];
  return {
    title:
      `Contended: ${processes} processes, 1 ms in the section, 5 ms outside, ${measuredMs / 1000} s ` +
      `(median of ${rounds} rounds, by turns; milliseconds)`,
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
    rows: names.map(cells),
    targets: targetsOf(names, figures),
    figures: Object.fromEntries(names.map((name) => [name, results.get(name)])),
  };
}

async function contest(name: ContenderName): Promise<Contest> {
  const byProcess = await inDirectory(async (directory) => {
    const workers = Array.from(
      { length: processes },
      () => new Worker("contended-worker.ts", [name, directory]),
    );
    await Promise.all(workers.map((worker) => worker.answer()));
    const from = process.hrtime.bigint() + BigInt(startDelayMs * 1e6);
    const go: Go = { from: from.toString(), forMs: warmUpMs + measuredMs };
    for (const worker of workers) worker.tell(go);
    const sections = await Promise.all(workers.map((worker) => worker.answer<Section[]>()));
    await Promise.all(workers.map((worker) => worker.end()));
    return sections;
  });
  return judge(byProcess);
}

function judge(byProcess: readonly (readonly Section[])[]): Contest {
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
  return {
    perSecond: waits.length / (measuredMs / 1000),
    handOverP50: median(handOvers),
    handOverP99: quantile(handOvers, 0.99),
    handOvers: handOvers.length,
    waitP50: median(waits),
    waitP99: quantile(waits, 0.99),
    waitMax: quantile(waits, 1),
    most: Math.max(...counts),
    fewest: Math.min(...counts),
    overlaps,
  };
}

function targetsOf(
  names: readonly ContenderName[],
  figures: (name: ContenderName, figure: keyof Contest) => number[],
): Target[] {
  const versus = (
    peer: ContenderName,
    figure: keyof Contest,
    what: string,
    wanted: string,
    isMet: (ratio: number) => boolean,
  ): Target[] => {
    if (!names.includes(peer)) return [];
    const ratio = medianRatio(figures("lockstep", figure), figures(peer, figure));
    const measured = `${ratio.toFixed(2)} ×`;
    return [{ what: `${what}, to that of ${peer}`, target: wanted, measured, isMet: isMet(ratio) }];
  };
  const most = figures("lockstep", "most");
  const spread = median(figures("lockstep", "fewest").map((fewest, round) => 1 - fewest / most[round]!));
  const overlaps = sum(figures("lockstep", "overlaps"));
  return [
    ...versus("flock kept open", "handOverP50", "hand-over p50", "≤ 2.5 ×", (ratio) => ratio <= 2.5),
    ...versus("proper-lockfile", "handOverP50", "hand-over p50", "< 0.33 ×", (ratio) => ratio < 1 / 3),
    ...versus(
      "flock kept open",
      "perSecond",
      "acquisitions per second",
      "≥ 0.85 ×",
      (ratio) => ratio >= 0.85,
    ),
    ...versus("proper-lockfile", "waitP99", "wait p99", "< 0.2 ×", (ratio) => ratio < 0.2),
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
