// The other side of ./thread.ts.
import { once } from "node:events";
import { runInThisContext } from "node:vm";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { isLockstepError } from "../../src/base/errors.js";
import {
  Barrier,
  Condition,
  Latch,
  Mutex,
  RwLock,
  Semaphore,
  type BarrierHandle,
  type ConditionHandle,
  type LatchHandle,
  type MutexHandle,
  type RwLockHandle,
  type SemaphoreHandle,
} from "../../src/threads/index.js";
import type { Answer, Nested, Stage, Things } from "./thread.js";

interface Handles {
  mutex?: MutexHandle;
  semaphore?: SemaphoreHandle;
  rwLock?: RwLockHandle;
  condition?: ConditionHandle;
  barrier?: BarrierHandle;
  latch?: LatchHandle;
}

const { things, words } = workerData as { things: Handles; words: Int32Array };

const codeOf = (error: unknown) => (isLockstepError(error) ? error.code : String(error));

const stage: Partial<Things> & Omit<Stage, keyof Things> = {
  words,
  kept: {},
  failure: (step) => {
    try {
      step();
      return "nothing";
    } catch (error) {
      return codeOf(error);
    }
  },
  rejection: (step) => step().then(() => "nothing", codeOf),
  nest: async () => {
    const mutex = new Mutex();
    const data = { things: { mutex: mutex.handle }, words };
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    const step: Nested["step"] = async (step) => {
      worker.postMessage({ id: 0, step: step.toString() });
      const [answer] = (await once(worker, "message")) as [Answer];
      return answer.value as never;
    };
    await step(() => undefined);
    return { mutex, child: { worker, step } };
  },
  unref: () => parentPort!.unref(),
  sleepSync: (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
};
if (things.mutex) stage.mutex = Mutex.from(things.mutex);
if (things.semaphore) stage.semaphore = Semaphore.from(things.semaphore);
if (things.rwLock) stage.rwLock = RwLock.from(things.rwLock);
if (things.condition) stage.condition = Condition.from(things.condition, stage.mutex!);
if (things.barrier) stage.barrier = Barrier.from(things.barrier);
if (things.latch) stage.latch = Latch.from(things.latch);

parentPort!.on("message", ({ id, step, argument }: { id: number; step: string; argument: unknown }) => {
  void answer(id, step, argument).then((found) => parentPort!.postMessage(found));
});

async function answer(id: number, step: string, argument: unknown): Promise<Answer> {
  try {
    const run = runInThisContext(`(${step})`) as (stage: unknown, argument: unknown) => unknown;
    return { id, value: await run(stage, argument) };
  } catch (error) {
    const { message } = error as Error;
    return { id, error: isLockstepError(error) ? { message, code: error.code } : { message } };
  }
}
