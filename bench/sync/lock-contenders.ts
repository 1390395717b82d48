// The peers, each with room for one, as a mutex, or for more, as a semaphore.
import type { Pace } from "../pace.js";
import * as peers from "./lock-peers.js";
import { givesRelease, isReleased, runs } from "./lock-shapes.js";
import type { LockInUse } from "./lock-workloads.js";

/** Makes a new lock with room for so many. */
export type Open = (room: number) => LockInUse;

export async function superlock(): Promise<Open> {
  const { createLock } = (await peers.loadSuperlock()).default;
  return (room) => {
    const lock = createLock(room);
    return givesRelease(lock as () => Promise<() => void>);
  };
}

export async function awaitLock(): Promise<Open> {
  const { default: AwaitLock } = await peers.loadAwaitLock();
  return () => {
    const lock = new AwaitLock();
    return {
      ...isReleased(
        () => lock.acquireAsync(),
        () => lock.release(),
      ),
      atOnce(pace: Pace) {
        while (pace.goesOn()) {
          if (!lock.tryAcquire()) throw new Error("nobody else has it");
          lock.release();
        }
      },
    };
  };
}

export async function asyncSema(): Promise<Open> {
  const { Sema } = await peers.loadAsyncSema();
  return (room) => {
    const sema = new Sema(room);
    return {
      ...isReleased(
        () => sema.acquire(),
        () => sema.release(),
      ),
      atOnce(pace: Pace) {
        while (pace.goesOn()) {
          if (sema.tryAcquire() === undefined) throw new Error("nobody else has it");
          sema.release();
        }
      },
    };
  };
}

export async function mutexify(): Promise<Open> {
  const { default: open } = await peers.loadMutexify();
  return () => givesRelease(open());
}

export async function asyncMutex(): Promise<Open> {
  const { Mutex } = await peers.loadAsyncMutex();
  return () => {
    const mutex = new Mutex();
    return givesRelease(() => mutex.acquire());
  };
}

export async function asyncMutexSemaphore(): Promise<Open> {
  const { Semaphore } = await peers.loadAsyncMutex();
  return (room) => {
    const semaphore = new Semaphore(room);
    return {
      async task(crowd) {
        while (crowd.goesOn()) {
          const [, release] = await semaphore.acquire();
          if (crowd.stays) {
            await crowd.inside();
            crowd.leave();
          }
          release();
        }
      },
      ask: () => semaphore.acquire(),
    };
  };
}

export async function pLimit(): Promise<Open> {
  const { default: limited } = await peers.loadLimit();
  return (room) => runs(limited(room));
}

export async function pQueue(): Promise<Open> {
  const { default: Queue } = await peers.loadQueue();
  return (room) => {
    const queue = new Queue({ concurrency: room });
    return runs((section) => queue.add(section));
  };
}

/** Within Effect all the way: to enter and leave it for each section would cost it more than the lock. */
export async function effect(): Promise<Open> {
  const { gen, promise, runFork, runPromise } = await peers.loadEffect();
  const { makeUnsafe } = await peers.loadEffectSemaphore();
  return (room) => {
    const semaphore = makeUnsafe(room);
    return {
      task: (crowd) => {
        const stay = promise(() => crowd.inside());
        return runPromise(
          gen(function* () {
            while (crowd.goesOn()) {
              yield* semaphore.take(1);
              if (crowd.stays) {
                yield* stay;
                crowd.leave();
              }
              yield* semaphore.release(1);
            }
          }),
        );
      },
      ask: () => runFork(semaphore.take(1)),
    };
  };
}
