// A mutex that is given up when a signal aborts: one signal for each task, or one for all.
import { Mutex } from "lockstep/sync";
import type { Subjects, Workloads } from "../apart.js";
import { crowded } from "../crowd.js";
import { loadSuperlock } from "./lock-peers.js";
import { givesRelease } from "./lock-shapes.js";
import { lockWorkloads, type LockInUse } from "./lock-workloads.js";

export const subjects: Subjects = {
  lockstep: () => signalled(lockstep),

  async superlock() {
    const { createLock } = (await loadSuperlock()).default;
    return signalled((signalOf) => {
      const lock = createLock();
      return {
        task(crowd) {
          const signal = signalOf();
          return givesRelease(() => lock(signal) as Promise<() => void>).task(crowd);
        },
        ask: () => lock(signalOf()),
      };
    });
  },
};

function signalled(open: (signalOf: () => AbortSignal) => LockInUse): Workloads {
  const its = () => new AbortController().signal;
  const { signal: one } = new AbortController();
  return {
    ...lockWorkloads(() => open(its), 1),
    oneSignal: () => crowded(1, 10_000, open(() => one).task),
  };
}

function lockstep(signalOf: () => AbortSignal): LockInUse {
  const mutex = new Mutex();
  return {
    async task(crowd) {
      const signal = signalOf();
      while (crowd.goesOn()) {
        const held = await mutex.acquire({ signal });
        if (crowd.stays) {
          await crowd.inside();
          crowd.leave();
        }
        held.release();
      }
    },
    ask: () => mutex.acquire({ signal: signalOf() }),
  };
}
