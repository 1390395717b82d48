// A mutex that is given up when the time is up.
import { Mutex } from "lockstep/sync";
import type { Subjects } from "../apart.js";
import * as peers from "./lock-peers.js";
import { givesRelease, isReleased } from "./lock-shapes.js";
import { lockWorkloads, type LockInUse } from "./lock-workloads.js";

/** It is never up here. */
const timeoutMs = 600_000;

export const subjects: Subjects = {
  lockstep: () => lockWorkloads(lockstep, 1),

  async "await-lock"() {
    const { default: AwaitLock } = await peers.loadAwaitLock();
    return lockWorkloads(() => {
      const lock = new AwaitLock();
      return isReleased(
        () => lock.acquireAsync({ timeout: timeoutMs }),
        () => lock.release(),
      );
    }, 1);
  },

  async "async-mutex"() {
    const { Mutex: PeerMutex, withTimeout } = await peers.loadAsyncMutex();
    return lockWorkloads(() => {
      const mutex = withTimeout(new PeerMutex(), timeoutMs);
      return givesRelease(() => mutex.acquire());
    }, 1);
  },

  async Effect() {
    const { gen, promise, runFork, runPromise, timeout } = await peers.loadEffect();
    const { makeUnsafe } = await peers.loadEffectSemaphore();
    return lockWorkloads(() => {
      const semaphore = makeUnsafe(1);
      const take = timeout(semaphore.take(1), timeoutMs);
      return {
        task: (crowd) => {
          const stay = promise(() => crowd.inside());
          return runPromise(
            gen(function* () {
              while (crowd.goesOn()) {
                yield* take;
                if (crowd.stays) {
                  yield* stay;
                  crowd.leave();
                }
                yield* semaphore.release(1);
              }
            }),
          );
        },
        ask: () => runFork(take),
      };
    }, 1);
  },
};

function lockstep(): LockInUse {
  const mutex = new Mutex();
  return {
    async task(crowd) {
      while (crowd.goesOn()) {
        const held = await mutex.acquire({ timeoutMs });
        if (crowd.stays) {
          await crowd.inside();
          crowd.leave();
        }
        held.release();
      }
    },
    ask: () => mutex.acquire({ timeoutMs }),
  };
}
