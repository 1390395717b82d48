// The three ways in which packages lend a lock. Each subject has its process to itself, so the compiler sees
// one lock in these loops, as it would in a program that uses that package.
import type { LockInUse } from "./lock-workloads.js";

/** Who has it is given what gives it back. */
export function givesRelease(acquire: () => Promise<() => void>): LockInUse {
  return {
    async task(crowd) {
      while (crowd.goesOn()) {
        const release = await acquire();
        if (crowd.stays) {
          await crowd.inside();
          crowd.leave();
        }
        release();
      }
    },
    ask: acquire,
  };
}

/** The lock itself is told that it is given back. */
export function isReleased(acquire: () => Promise<unknown>, release: () => void): LockInUse {
  return {
    async task(crowd) {
      while (crowd.goesOn()) {
        await acquire();
        if (crowd.stays) {
          await crowd.inside();
          crowd.leave();
        }
        release();
      }
    },
    ask: acquire,
  };
}

/** It runs what is to be done. */
export function runs(run: (section: () => Promise<void>) => Promise<void>): LockInUse {
  return {
    async task(crowd) {
      while (crowd.goesOn()) await run(crowd.section);
    },
    ask: () => run(forEver),
  };
}

function forEver(): Promise<void> {
  return new Promise(() => undefined);
}
