import type { CallSite } from "./call-site.js";
import type { Held } from "./held.js";
import type { Permits, Want } from "./permits.js";
import type { Waiter } from "./wait-queue.js";

/** Something that is held, and where it was taken. */
export interface Hold {
  /** Another one when a writer has become a reader. */
  held: Held;
  readonly lock: Permits;
  readonly at: CallSite;
}

/** Somebody who waits, where, and what it holds meanwhile. */
export interface Wait {
  readonly waiter: Waiter<Held, Want>;
  readonly lock: Permits;
  readonly at: CallSite;
  readonly heldMeanwhile: readonly Hold[];
}

/** A lock that is held or waited for. */
export interface LockState {
  readonly holds: Set<Hold>;
  readonly waits: Map<Waiter<Held, Want>, Wait>;
}

/**
 * The circle of waits that `start` closes, if there is no way that it could ever be granted.
 *
 * All waits are taken for hopeless at first. One is not, if those before it in its queue are not, and if what
 * is free, together with what is held by tasks that go on, is enough for it. When that is so, whoever waits
 * there will go on and give back what it holds; so there may be hope for others, until nothing changes any
 * more. What then is hopeless waits for something hopeless, so following it leads round in a circle.
 */
export function circleFrom(start: Wait, locks: ReadonlyMap<Permits, LockState>): Wait[] | undefined {
  const hopeless = hopelessAmong(locks);
  if (!hopeless.has(start)) return undefined;
  const path: Wait[] = [];
  let wait = start;
  while (!path.includes(wait)) {
    path.push(wait);
    wait = blockerOf(wait, locks.get(wait.lock)!, hopeless);
  }
  return path.slice(path.indexOf(wait));
}

const unused: LockState = { holds: new Set(), waits: new Map() };

/** Those who will never be granted what they wait for. */
function hopelessAmong(locks: ReadonlyMap<Permits, LockState>): Set<Wait> {
  const hopeless = new Set<Wait>();
  /** For each hold, how many of the hopeless keep it from coming back. */
  const keepers = new Map<Hold, number>();
  const toLookAt: Permits[] = [];
  for (const [lock, { waits }] of locks) {
    if (waits.size > 0) toLookAt.push(lock);
    for (const wait of waits.values()) {
      if (!wait.waiter.isWaiting) continue;
      hopeless.add(wait);
      for (const hold of wait.heldMeanwhile) keepers.set(hold, (keepers.get(hold) ?? 0) + 1);
    }
  }
  for (let lock = toLookAt.pop(); lock !== undefined; lock = toLookAt.pop()) {
    const { holds, waits } = locks.get(lock) ?? unused;
    let obtainable = lock.total;
    for (const hold of holds) if (keepers.get(hold)! > 0 && hold.held.isHeld) obtainable -= hold.held.weight;
    for (const waiter of lock.waiters()) {
      const wait = waits.get(waiter);
      // Nothing is known of one who waited before anybody looked for deadlocks.
      if (wait === undefined) continue;
      if (waiter.request.weight > obtainable) break;
      if (!hopeless.delete(wait)) continue;
      for (const hold of wait.heldMeanwhile) {
        keepers.set(hold, keepers.get(hold)! - 1);
        if (keepers.get(hold) === 0) toLookAt.push(hold.lock);
      }
    }
  }
  return hopeless;
}

/** Somebody hopeless for whom a hopeless one waits. */
function blockerOf({ waiter, lock }: Wait, { holds, waits }: LockState, hopeless: ReadonlySet<Wait>): Wait {
  let stuckWeight = 0;
  let blocker: Wait | undefined;
  for (const hold of holds) {
    const keeper = hold.held.isHeld ? keeperOf(hold, hopeless) : undefined;
    if (keeper === undefined) continue;
    stuckWeight += hold.held.weight;
    blocker ??= keeper;
  }
  if (blocker !== undefined && waiter.request.weight > lock.total - stuckWeight) return blocker;
  // What is obtainable would be enough, but not for one who is before it.
  for (const ahead of lock.waiters()) {
    const wait = waits.get(ahead);
    if (wait !== undefined && hopeless.has(wait)) return wait;
  }
  throw new Error("what has no hope waits for somebody without hope");
}

function keeperOf(hold: Hold, hopeless: ReadonlySet<Wait>): Wait | undefined {
  for (const wait of hopeless) if (wait.heldMeanwhile.includes(hold)) return wait;
  return undefined;
}
