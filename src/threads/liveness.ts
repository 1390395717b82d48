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
  terminate(): Promise<number>;
  prependOnceListener(event: "exit" | "online", listener: () => void): void;
}

interface DiagnosticsChannel {
  subscribe(channel: string, listener: (message: unknown) => void): void;
}

const node = globalThis.process as NodeJS.Process | undefined;
const workerThreads = node?.getBuiltinModule("node:worker_threads") as WorkerThreads | undefined;
const diagnostics = node?.getBuiltinModule("node:diagnostics_channel") as DiagnosticsChannel | undefined;

/** The main thread must never block: on its event loop the deaths of workers are noticed. */
export const isMainThread = workerThreads?.isMainThread ?? "document" in globalThis;

// Workers inherit both; of the second each thread makes its own number.
const tableKey = "lockstep/threads/table";
const parentKey = "lockstep/threads/parent";

const parent = workerThreads?.getEnvironmentData(parentKey);

const known: Liveness[] = [];
/** The workers that this thread started and that have not ended, by their numbers. */
const children = new Map<number, StartedWorker>();
/** Those of them that it has terminated, though they may not have stopped yet. */
const terminated = new Set<number>();
/** So long a worker that was stopped may go on at most with what cannot be interrupted, as a long copy. */
const stopsMs = 500;
/** So long the listeners of a thread for its own end may take at most. */
const lastWordsMs = 5000;

/**
 * Who is alive. Each thread that loads this file enters a table that the whole process shares, and when it
 * has ended the thread that started it strikes it out. So a lock that names its owner by number can tell that
 * the owner is dead. New workers inherit the table; a thread that was started before there was one finds it
 * in the handle that it is given.
 *
 * *Failure*: a death is noticed when the thread that started the worker had loaded this file before: at once,
 * or, while that thread blocks, half a second later. Otherwise that of a worker that ends by itself is
 * noticed after five seconds, which its last listeners may need, and that of one that is terminated never.
 * In a browser nothing tells of a worker's end, and nobody is taken for dead.
 */
export class Liveness {
  /** This thread's number: a positive integer below 2 ** 28 that no other thread of the process ever has. */
  readonly self: number;
  readonly table: ThreadTable;

  private constructor(table: ThreadTable) {
    this.table = table;
    this.self = workerThreads ? workerThreads.threadId + 1 : table.nextNumber();
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
      const hasStopped = terminated.has(number) || child.performance.eventLoopUtilization().idle < 0;
      if (hasStopped) expectEnd(number, stopsMs);
    }
  }
}

function expectEnd(number: number, inMs: number): void {
  for (const { table } of known) table.expectEnd(number, inMs);
}

/** Looks after a worker from its start on. */
function adopt(worker: StartedWorker): void {
  const number = worker.threadId + 1;
  children.set(number, worker);
  // Asked once the loop runs, Node can tell later that it has stopped: see lookAfterChildren. It must be
  // asked before any other listener, which may block.
  worker.prependOnceListener("online", () => worker.performance.eventLoopUtilization());
  worker.prependOnceListener("exit", () => {
    children.delete(number);
    terminated.delete(number);
    for (const { table } of known) table.bury(number);
  });
  // Who terminates a worker and blocks in the same turn is never told that it has ended.
  const terminate = worker.terminate.bind(worker);
  worker.terminate = () => {
    if (children.has(number)) terminated.add(number);
    return terminate();
  };
}

if (node && workerThreads && diagnostics) {
  const { self } = Liveness.here;
  // Not process.on("worker"), which comes a turn later: the thread may block before that.
  diagnostics.subscribe("worker_threads", (message) => adopt((message as { worker: StartedWorker }).worker));
  // The thread's own last word, for those whose parent blocks or never loaded this file. Other listeners for
  // the same event come after it, and only after them Node ends the workers that this thread has started. So
  // nobody is struck out yet.
  if (!isMainThread) node.once("exit", () => expectEnd(self, lastWordsMs));
}
