// A worker thread that does what a test tells it to, step by step: `await thread.run(({ mutex }) => …)`. The
// step travels as its source, so it may use what it is given and nothing else around it.
import type { Worker } from "node:worker_threads";
import { LockstepError, type LockstepErrorCode } from "lockstep/base";
import type { Barrier, Condition, Handle, Held, Latch, Mutex, RwLock, Semaphore } from "lockstep/threads";
import { onTestFinished } from "vitest";
import { startWorker } from "./workshop.js";

/** What a thread may be given the handles of, by the names that its steps call them. */
export interface Things {
  mutex: Mutex;
  semaphore: Semaphore;
  rwLock: RwLock;
  condition: Condition;
  barrier: Barrier;
  latch: Latch;
}

export interface Stage extends Things {
  /** Shared memory to count in. */
  words: Int32Array;
  /** What one step leaves for the next. */
  kept: Record<string, Held>;
  /** The code of what a step fails with, or "nothing". */
  failure: (step: () => unknown) => string;
  /** The same for a step that awaits. */
  rejection: (step: () => Promise<unknown>) => Promise<string>;
  /** A mutex, and a thread that this one starts and that has it too. */
  nest: () => Promise<{ mutex: Mutex; child: Nested }>;
  sleepSync: (ms: number) => void;
  /** From now on only what the steps do keeps the thread alive. */
  unref: () => void;
}

export interface Nested {
  readonly worker: Worker;
  step: <T>(step: (stage: Stage) => T) => Promise<Awaited<T>>;
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly code?: LockstepErrorCode };
}

export class Thread {
  readonly worker: Worker;
  readonly exited: Promise<number>;
  #lastId = 0;
  readonly #calls = new Map<number, (answer: Answer) => void>();

  private constructor(worker: Worker) {
    this.worker = worker;
    this.exited = new Promise((resolve) => worker.once("exit", resolve));
    worker.on("message", (answer: Answer) => {
      this.#calls.get(answer.id)?.(answer);
      this.#calls.delete(answer.id);
    });
    // One that is told to throw says so by its exit.
    worker.on("error", () => undefined);
  }

  /** A thread with these things opened from their handles, and shared words; it ends with the test. */
  static async start(
    things: Partial<Record<keyof Things, Handle>>,
    words = new Int32Array(new SharedArrayBuffer(64)),
  ): Promise<Thread> {
    const thread = new Thread(startWorker("stage", { things, words }));
    onTestFinished(async () => {
      await thread.worker.terminate();
    });
    await thread.run(() => undefined);
    return thread;
  }

  /** Runs the step over there; rejects with what it failed with. A dead thread never answers. */
  run<T, A = undefined>(step: (stage: Stage, argument: A) => T, argument?: A): Promise<Awaited<T>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, ({ value, error }) => {
        if (error === undefined) resolve(value as Awaited<T>);
        else reject(error.code ? new LockstepError(error.code, error.message) : new Error(error.message));
      });
      this.worker.postMessage({ id, step: step.toString(), argument });
    });
  }

  /** Ends the thread wherever it is; the main thread knows of it then. */
  async kill(): Promise<void> {
    await this.worker.terminate();
  }
}
