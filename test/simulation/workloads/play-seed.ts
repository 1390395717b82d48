import { simulate, type Hazards, type Happening, type Simulated } from "lockstep/simulation";
import { Believers } from "./believers.js";
import { elections } from "./elections.js";
import { locks } from "./locks.js";
import { registers } from "./registers.js";
import type { Played, Workload } from "./workload.js";

export const workloads = { locks, elections, registers };

/** Worlds that are bad in different ways. A seed picks one. */
const climates: readonly Partial<Hazards>[] = [
  {},
  // Slow: what is true when it is said may be over when it is heard.
  { delay: 0.3, longDelayMs: 2000, partitionEveryMs: 30_000, partitionMs: 15_000, freezeEveryMs: 60_000 },
  // Harsh: nothing goes well for long.
  { loseRequest: 0.05, loseReply: 0.05, duplicate: 0.5, partitionEveryMs: 40_000, freezeEveryMs: 40_000 },
];

/** The workload that a seed picks, where none is asked for. */
export function workloadOf(seed: number): Workload {
  const which = seed % 10;
  return which === 3 ? registers : which > 6 ? elections : locks;
}

/** Runs a workload in the world of that seed. */
export async function playSeed(
  seed: number,
  workload: Workload,
  minutes: number,
  onHappening?: (happening: Happening) => void,
): Promise<Simulated<Played>> {
  const hazards = climates[seed % climates.length];
  const believers = new Believers();
  const wrong: string[] = [];
  let ask: () => unknown = () => undefined;
  const hear = (happening: Happening) => {
    onHappening?.(happening);
    if (happening.what === "expired session") ask();
  };
  const simulated = await simulate({ seed, hazards, onHappening: hear }, (world) => {
    // For a mistake that makes a thread of its own, which no freeze of the main one stops.
    Object.assign(globalThis, { anotherThread: world.clock });
    // At the same moment, when its keys are gone as well.
    ask = () => world.clock.after(0, () => wrong.push(...believers.wrong(world)));
    return workload.play(world, minutes, believers);
  });
  const { result } = simulated;
  return { ...simulated, result: { ...result, findings: [...result.findings, ...wrong] } };
}

/** What went wrong that may not; what is thrown goes wrong, too. */
export async function findingsOf(
  seed: number,
  workload: Workload,
  minutes: number,
): Promise<readonly string[]> {
  try {
    return (await playSeed(seed, workload, minutes)).result.findings;
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}
