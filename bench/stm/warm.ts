import type { Workloads } from "../apart.js";

/** One of the workloads. */
export type Measured = [name: string, run: Workloads[string]];

const times = 6;

/**
 * Lets the compiler do its work first. A transaction goes through much more code than a lock does, and the
 * slower it is the less often it is run before it is measured: so that would tell for whom it is slow.
 */
export async function warm(workloads: Workloads): Promise<Workloads> {
  for (let time = 0; time < times; time++) {
    for (const run of Object.values(workloads)) await run();
  }
  return workloads;
}
