import { setImmediate as turn } from "node:timers/promises";

/** Waits for a turn of the event loop, for a promise that is settled, or for nothing; of 20, for one turn. */
export async function pauseNow(chance: number): Promise<void> {
  if (chance < 0.05) await turn();
  else if (chance < 0.5) await Promise.resolve();
}
