import type { Acquire } from "./contender.js";

/** How often a second something is done, which does it so many times each time that it is called. */
export async function perSecond(forMs: number, once: () => Promise<unknown>, times = 1): Promise<number> {
  const begun = performance.now();
  let done = 0;
  let now = begun;
  while (now - begun < forMs) {
    await once();
    done += times;
    now = performance.now();
  }
  return done / ((now - begun) / 1000);
}

/** Takes a lock and gives it back. */
export async function pair(acquire: Acquire): Promise<void> {
  const release = await acquire();
  await release();
}
