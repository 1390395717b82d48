import { playSeed, workloadOf } from "./workloads/play-seed.js";

/** What came of many seeds, one after the other. */
export interface SeedsRun {
  readonly seeds: number;
  readonly seconds: number;
  readonly simulatedHours: number;
  readonly lockHours: number;
  readonly events: number;
  readonly grants: number;
  /** What went wrong, by kind. */
  readonly tally: Record<string, number>;
  readonly violations: readonly Violation[];
}

export interface Violation {
  readonly seed: number;
  readonly workload: string;
  readonly findings: readonly string[];
}

/** The simulated time of each seed. */
export const minutes = 15;

/** Runs one seed after the other for so long; at least one. */
export async function runSeeds(
  firstSeed: number,
  seconds: number,
  onSeed: (seed: number, soFar: SeedsRun) => void,
): Promise<SeedsRun> {
  const startedAt = performance.now();
  const violations: Violation[] = [];
  const tally: Record<string, number> = {};
  const sum = { seeds: 0, seconds: 0, simulatedHours: 0, lockHours: 0, events: 0, grants: 0 };
  for (let seed = firstSeed; sum.seeds === 0 || sum.seconds < seconds; seed++) {
    const workload = workloadOf(seed);
    const violation = (findings: readonly string[]) =>
      violations.push({ seed, workload: workload.name, findings });
    try {
      const { result, simulatedMs, events, tally: tallied } = await playSeed(seed, workload, minutes);
      if (result.findings.length > 0) violation(result.findings);
      sum.simulatedHours += simulatedMs / 3_600_000;
      sum.lockHours += result.lockHours;
      sum.events += events;
      sum.grants += result.grants;
      for (const [what, count] of Object.entries(tallied)) tally[what] = (tally[what] ?? 0) + count;
    } catch (error) {
      violation([error instanceof Error ? (error.stack ?? error.message) : String(error)]);
    }
    sum.seeds++;
    sum.seconds = (performance.now() - startedAt) / 1000;
    onSeed(seed, { ...sum, tally, violations });
  }
  return { ...sum, tally, violations };
}
