import type { Workloads } from "../apart.js";
import { crowded, type Crowd } from "../crowd.js";
import { heapBytes } from "../heap.js";
import { paceOf, type Pace } from "../pace.js";

/** A lock as a user of its package would write it: nobody pays for a wrapper of ours. */
export interface LockInUse {
  /** Takes it, stays inside where the crowd does, gives it back, and so on. */
  readonly task: (crowd: Crowd) => Promise<unknown>;
  /** Asks for it once; returns what the asker keeps of that. */
  readonly ask: () => unknown;
  /** Takes it and gives it back without any await, where the package can. */
  readonly atOnce?: (pace: Pace) => void;
}

const waiters = 10_000;

/** What is measured of a lock; `open` makes a new one, with room for so many. */
export function lockWorkloads(openWith: (room: number) => LockInUse, room: number): Workloads {
  const open = () => openWith(room);
  const { atOnce } = open();
  return {
    bytesPerWaiter: () => bytesPerWaiter(open().ask, room),
    uncontended: () => crowded(room, 0, open().task),
    hundredWaiters: () => crowded(room, 100, open().task),
    tenThousandWaiters: () => crowded(room, waiters, open().task),
    ...(atOnce ? { atOnce: () => paceOf(open().atOnce!) } : {}),
  };
}

/** What the heap grows by for each who waits: the promise, what settles it, its place in the queue. */
async function bytesPerWaiter(ask: () => unknown, room: number): Promise<number> {
  // Those who hold it, and some who wait: code that is compiled once is not what a waiter costs.
  const kept: unknown[] = Array.from({ length: room + 100 }, ask);
  const waiting = new Array<unknown>(waiters).fill(undefined);
  const before = await heapBytes();
  for (let waiter = 0; waiter < waiters; waiter++) waiting[waiter] = ask();
  const bytes = (await heapBytes()) - before;
  // Read after the heap was, so that nothing of it was garbage then.
  if (kept.length + waiting.length !== room + 100 + waiters) throw new Error("somebody is missing");
  return bytes / waiters;
}
