// Runs one step in a worker thread of its own, which ends with it. The step travels as its source, so it may
// use what it is given and nothing else around it.
import type { Worker } from "node:worker_threads";
import type * as base from "lockstep/base";
import type * as threads from "lockstep/threads";
import { onTestFinished } from "vitest";
import type { ThreadRecord } from "./thread-record.js";
import { startWorker } from "./workshop.js";

/** What every step is given besides its own argument. */
export type Library = typeof base & typeof threads & { ThreadRecord: typeof ThreadRecord };

export interface Crew<T> {
  readonly worker: Worker;
  /** What the step returns in the end, or "dead" when it was terminated before. */
  readonly done: Promise<T | "dead">;
}

/** Starts a thread that runs the step; it is terminated at the latest when the test ends. */
export function inThread<T, A>(step: (library: Library, argument: A) => T, argument: A): Crew<Awaited<T>> {
  const worker = startWorker("channel-stage", { step: step.toString(), argument });
  onTestFinished(async () => {
    await worker.terminate();
  });
  const done = new Promise<Awaited<T> | "dead">((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => {
      resolve("dead");
    });
  });
  // Whoever awaits it later is told of its failure then.
  done.catch(() => undefined);
  return { worker, done };
}

/** The same for a step that is waited for. */
export async function outcome<T, A>(
  step: (library: Library, argument: A) => T,
  argument: A,
): Promise<Awaited<T>> {
  const result = await inThread(step, argument).done;
  if (result === "dead") throw new Error("the thread died");
  return result;
}
