// One at a time: Mutex and its peers.
import { Mutex } from "lockstep/sync";
import type { Subjects } from "../apart.js";
import * as peers from "./lock-contenders.js";
import { lockWorkloads, type LockInUse } from "./lock-workloads.js";

const room = 1;

export const subjects: Subjects = {
  lockstep: () => lockWorkloads(lockstep, room),
  superlock: async () => lockWorkloads(await peers.superlock(), room),
  "await-lock": async () => lockWorkloads(await peers.awaitLock(), room),
  "async-sema": async () => lockWorkloads(await peers.asyncSema(), room),
  mutexify: async () => lockWorkloads(await peers.mutexify(), room),
  "async-mutex": async () => lockWorkloads(await peers.asyncMutex(), room),
  "p-limit": async () => lockWorkloads(await peers.pLimit(), room),
  Effect: async () => lockWorkloads(await peers.effect(), room),
};

function lockstep(): LockInUse {
  const mutex = new Mutex();
  return {
    async task(crowd) {
      while (crowd.goesOn()) {
        const held = await mutex.acquire();
        if (crowd.stays) {
          await crowd.inside();
          crowd.leave();
        }
        held.release();
      }
    },
    ask: () => mutex.acquire(),
    atOnce(pace) {
      while (pace.goesOn()) mutex.tryAcquire()!.release();
    },
  };
}
