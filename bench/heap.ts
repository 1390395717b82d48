import { setTimeout as sleep } from "node:timers/promises";

/** What the heap holds, garbage collected; Node must run with `--expose-gc`. */
export async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc!();
    await sleep(5);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
