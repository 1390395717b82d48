// A few at a time: Semaphore and its peers.
import { Semaphore } from "lockstep/sync";
import type { Subjects } from "../apart.js";
import * as peers from "./lock-contenders.js";
import { lockWorkloads, type LockInUse } from "./lock-workloads.js";

const room = 4;

export const subjects: Subjects = {
  lockstep: () => lockWorkloads(lockstep, room),
  superlock: async () => lockWorkloads(await peers.superlock(), room),
  "async-sema": async () => lockWorkloads(await peers.asyncSema(), room),
  "async-mutex": async () => lockWorkloads(await peers.asyncMutexSemaphore(), room),
  "p-limit": async () => lockWorkloads(await peers.pLimit(), room),
  "p-queue": async () => lockWorkloads(await peers.pQueue(), room),
  Effect: async () => lockWorkloads(await peers.effect(), room),
};

function lockstep(permits: number): LockInUse {
  const semaphore = new Semaphore(permits);
  return {
    async task(crowd) {
      while (crowd.goesOn()) {
        const held = await semaphore.acquire();
        if (crowd.stays) {
          await crowd.inside();
          crowd.leave();
        }
        held.release();
      }
    },
    ask: () => semaphore.acquire(),
    atOnce(pace) {
      while (pace.goesOn()) semaphore.tryAcquire()!.release();
    },
  };
}
