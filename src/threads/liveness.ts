import { systemClock } from "../base/clock.js";
import { ThreadTable } from "./thread-table.js";

/** What this file uses of Node; a browser has no such thing. */
interface WorkerThreads {
  readonly isMainThread: boolean;
  readonly threadId: number;
  getEnvironmentData(key: string): unknown;
  setEnvironmentData(key: string, value: unknown): void;
}

interface StartedWorker {
  readonly threadId: number;
  readonly performance: { eventLoopUtilization(): { idle: number } };
  once(event: "exit" | "online", listener: () => void): void;
}

const node = globalThis.process as NodeJS.Process | undefined;
const workerThreads = node?.getBuiltinModule("node:worker_threads") as WorkerThreads | undefined;

/** The main thread must never block: on its event loop the deaths of workers are noticed. */
export const isMainThread = workerThreads?.isMainThread ?? "document" in globalThis;

// Workers inherit both; of the second each thread makes its own number.
const tableKey = "lockstep/threads/table";
const parentKey = "lockstep/threads/parent";

const known: Liveness[] = [];
/** The workers that this thread started and that have not ended, by their numbers. */
const children = new Map<number, StartedWorker>();
/** When a worker was first seen to have stopped. */
const stoppedAtMs = new Map<number, number>();
/** So long after a worker is online its event loop runs. */
const loopStartsMs = 50;
/** Node ends a worker's own workers just after it stopped; so long that may take at most. */
const familyEndsMs = 1000;

/**
 * Who is alive. Each thread that loads this file enters a table that the whole process shares, and when it
 * has ended the thread that started it strikes it out. So a lock that names its owner by number can tell that
 * the owner is dead. New workers inherit the table; a thread that was started before there was one finds it
 * in the handle that it is given.
 *
 * *Failure*: a death is noticed when the thread that started the worker had loaded this file before, or when
 * the worker ends by itself. In a browser nothing tells of a worker's end, and nobody is taken for dead.
 */
export class Liveness {
  /** This thread's number: a positive integer below 2 ** 28 that no other thread of the process ever has. */
  readonly self: number;
  readonly table: ThreadTable;

  private constructor(table: ThreadTable) {
    this.table = table;
    this.self = workerThreads ? workerThreads.threadId + 1 : table.nextNumber();
    const parent = workerThreads?.getEnvironmentData(parentKey);
    table.enter(this.self, typeof parent === "number" ? parent : 0);
    known.push(this);
  }

  /** The one over the table that this thread inherited or, when there was none to inherit, made. */
  static get here(): Liveness {
    if (known[0]) return known[0];
    const inherited = workerThreads?.getEnvironmentData(tableKey);
    const here = new Liveness(inherited ? new ThreadTable(inherited) : ThreadTable.create());
    workerThreads?.setEnvironmentData(tableKey, here.table.memory);
    workerThreads?.setEnvironmentData(parentKey, here.self);
    return here;
  }

  /** The one over the table of a handle. Throws 'bad-input' for what is no such table. */
  static of(memory: unknown): Liveness {
    const table = new ThreadTable(memory);
    return [this.here, ...known].find((each) => each.table.isSameAs(table)) ?? new Liveness(table);
  }

  /** Whether that thread has ended, so that nothing it holds will ever be released. */
  isDead(number: number): boolean {
    return this.table.isDead(number);
  }

  /**
   * Looks for workers of this thread that have stopped, before it blocks and while it does: no event tells.
   */
  static lookAfterChildren(): void {
    for (const [number, child] of children) {
      // A second pair of eyes, for it is undocumented: of a loop that has stopped Node says -1, if it was
      // asked before, when the loop ran.
      if (child.performance.eventLoopUtilization().idle >= 0) continue;
      for (const { table } of known) table.markStopped(number);
      const now = systemClock.now();
      const stoppedAt = stoppedAtMs.get(number) ?? now;
      stoppedAtMs.set(number, stoppedAt);
      if (now - stoppedAt > familyEndsMs) bury(number);
    }
  }
}

function bury(number: number): void {
  stoppedAtMs.delete(number);
  for (const { table } of known) table.bury(number);
}

if (node && workerThreads) {
  const { self } = Liveness.here;
  node.on("worker", (worker: StartedWorker) => {
    const number = worker.threadId + 1;
    children.set(number, worker);
    worker.once("online", () => {
      // Asked once the loop runs, Node can tell later that it has stopped: see lookAfterChildren.
      systemClock.after(loopStartsMs, () => worker.performance.eventLoopUtilization(), "background");
    });
    worker.once("exit", () => {
      children.delete(number);
      bury(number);
    });
  });
  // The thread's own last word, for those whose parent blocks or never loaded this file. What runs after it
  // are other listeners for the same event.
  if (!isMainThread) node.once("exit", () => bury(self));
}
