import { check, type Workload } from "lockstep/check";
import { play } from "./play.js";
import { mixes, type Mix } from "./promised.js";

/** What came of many seeds. */
export interface Judged {
  readonly seeds: number;
  /** Those that committed. */
  readonly transactions: number;
  /** The attempts of those and of others, and the parts of them, that were undone. */
  readonly undone: number;
  readonly findings: readonly string[];
}

export const workloads: readonly Workload[] = ["list-append", "rw-register"];

/** What is played, and in which mix of manners. */
export interface Game {
  readonly mix: Mix;
  readonly workload: Workload;
}

/** They come one after the other. */
export function gameOf(seed: number): Game {
  const mix = mixes[seed % mixes.length]!;
  const workload = workloads[Math.floor(seed / mixes.length) % workloads.length]!;
  return { mix, workload };
}

/** Plays one seed after the other until so many transactions are judged. */
export async function judgeSeeds(firstSeed: number, transactions: number): Promise<Judged> {
  const sum = { seeds: 0, transactions: 0, undone: 0 };
  const findings: string[] = [];
  for (let seed = firstSeed; sum.transactions < transactions; seed++) {
    const { finding, committed, undone } = await judgeSeed(seed);
    if (finding !== undefined) findings.push(finding);
    sum.seeds++;
    sum.transactions += committed;
    sum.undone += undone;
    // A library that fails each time shall not go on for ever.
    if (findings.length >= 10) break;
  }
  return { ...sum, findings };
}

/** Plays one game, and asks what its mix promises. */
export async function judgeSeed(seed: number, { mix, workload } = gameOf(seed)) {
  const said = (what: string) => `seed ${seed}, ${workload}, ${mix.name}: ${what}`;
  try {
    const { history, committed } = await play(seed, mix, workload);
    const undone = history.operations.length - committed;
    const verdict = check(history).keeps(mix.level, workload);
    if (verdict.is === "valid") return { committed, undone };
    const why = verdict.is === "unknown" ? verdict.reason : verdict.anomalies[0].explanation;
    return { committed, undone, finding: said(`${verdict.is} of ${mix.level}: ${why}`) };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { committed: 0, undone: 0, finding: said(text) };
  }
}
