import { alternate, medianRatio } from "../alternate.js";
import { measureApart, rounds } from "../apart.js";
import { Comparison } from "../comparison.js";
import type { Contenders } from "../contender.js";
import { contest, contestCosts, contestRounds, contestTable, fairnessTargets } from "../contest.js";
import type { Report, Table, Target } from "../report.js";

/** How the locks on one kind of server are measured. */
export interface ServerBench {
  readonly server: string;
  /** A text with its version in it. */
  readonly version: () => string;
  readonly start: () => Promise<Running>;
  /** What exports `contenders`, and `subjects` made of them by `alone`; its path is relative to bench/. */
  readonly module: string;
  readonly targets: (measured: Measured) => Target[];
  /** What only this server is asked. */
  readonly also?: (address: string, contenders: readonly string[]) => Promise<Addition>;
}

interface Running {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** What was measured of Lockstep and its peers. */
interface Measured {
  /** What each did while nobody else wanted its locks. */
  readonly alone: Comparison;
  readonly contests: Comparison;
}

export interface Addition {
  readonly table: Table;
  readonly targets: readonly Target[];
  readonly figures: Record<string, unknown>;
}

/** Starts a server, measures, and ends it. */
export async function benchServer(bench: ServerBench): Promise<Report> {
  const { module, targets, also } = bench;
  const version = /\d+(\.\d+)+/.exec(bench.version())?.[0] ?? "unknown";
  const running = await bench.start();
  try {
    const { contenders } = (await import(`../${module}`)) as { contenders: Contenders };
    const names = Object.keys(contenders);
    const measured = await measure(module, names, running.address);
    const { alone, contests } = measured;
    const addition = await also?.(running.address, names);
    return {
      ...aloneTable(`${bench.server} ${version}`, alone),
      further: [contestTable(contests), ...(addition ? [addition.table] : [])],
      targets: [...targets(measured), ...fairnessTargets(contests), ...(addition?.targets ?? [])],
      figures: {
        version,
        alone: alone.figures(["pairs", "inTurn", "atOnce"]),
        contended: contests.figures(["perSecond", ...contestCosts, "most", "fewest", "overlaps"]),
        ...addition?.figures,
      },
    };
  } finally {
    await running.stop();
  }
}

async function measure(module: string, names: readonly string[], place: string): Promise<Measured> {
  const alone = await measureApart(module, names, { place });
  const contests = await alternate(
    contestRounds,
    names.map((name) => ({ name, measure: () => contest(module, name, place) })),
  );
  return { alone: new Comparison(alone), contests: new Comparison(contests, contestCosts) };
}

function aloneTable(server: string, alone: Comparison): Table {
  const whole = (figure: number) => Math.round(figure).toLocaleString("en");
  return {
    title:
      `${server}, uncontended: one process, pairs of acquire and release a second ` +
      `(median of ${rounds} rounds, by turns)`,
    head: ["", "one lock", "64 locks in turn", "64 locks at once"],
    rows: alone.subjects.map((name) => [name, ...alone.cells(name, ["pairs", "inTurn", "atOnce"], whole)]),
  };
}

/** How much faster many locks are had at once than one after another. */
export function atOnceTarget({ alone }: Measured, wanted: number): Target {
  const ratio = medianRatio(alone.rounds("lockstep", "atOnce")!, alone.rounds("lockstep", "inTurn")!);
  return {
    what: "64 locks at once, to one after another",
    target: `≥ ${wanted} ×`,
    measured: `${ratio.toFixed(2)} ×`,
    isMet: ratio >= wanted,
  };
}
