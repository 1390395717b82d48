import type { Held } from "./held.js";
import type { Permits, Want } from "./permits.js";
import type { Waiter } from "./wait-queue.js";

/** Something that is held, and where it was taken. */
export interface Hold {
  readonly held: Held;
  readonly lock: Permits;
  readonly at: string;
}

/** Somebody who waits, where, and what it holds meanwhile. */
export interface Wait {
  readonly waiter: Waiter<Held, Want>;
  readonly permits: Permits;
  readonly at: string;
  readonly heldMeanwhile: readonly Hold[];
}

/** A lock that is held or waited for. */
export interface LockState {
  readonly name: string;
  readonly holds: Set<Hold>;
  readonly waits: Set<Wait>;
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
  const hopeless = new Set<Wait>();
  for (const { waits } of locks.values()) for (const wait of waits) hopeless.add(wait);
  let sizeBefore: number;
  do {
    sizeBefore = hopeless.size;
    for (const wait of hopeless) if (blockerOf(wait, locks, hopeless) === undefined) hopeless.delete(wait);
    if (!hopeless.has(start)) return undefined;
  } while (hopeless.size < sizeBefore);

  const path: Wait[] = [];
  let wait = start;
  while (!path.includes(wait)) {
    path.push(wait);
    wait = blockerOf(wait, locks, hopeless)!;
  }
  return path.slice(path.indexOf(wait));
}

/** Somebody hopeless for whom this one waits: nobody, when it will be granted what it wants. */
function blockerOf(
  { permits, waiter }: Wait,
  locks: ReadonlyMap<Permits, LockState>,
  hopeless: ReadonlySet<Wait>,
): Wait | undefined {
  const { holds, waits } = locks.get(permits)!;
  let stuckWeight = 0;
  let blocker: Wait | undefined;
  for (const hold of holds) {
    const stuck = stuckWith(hold, hopeless);
    if (stuck === undefined) continue;
    stuckWeight += hold.held.weight;
    blocker ??= stuck;
  }
  if (waiter.request.weight > permits.total - stuckWeight) return blocker;
  for (const ahead of permits.waiters()) {
    if (ahead === waiter) return undefined;
    for (const wait of waits) if (wait.waiter === ahead && hopeless.has(wait)) return wait;
  }
  return undefined;
}

function stuckWith(hold: Hold, hopeless: ReadonlySet<Wait>): Wait | undefined {
  if (!hold.held.isHeld) return undefined;
  for (const wait of hopeless) if (wait.heldMeanwhile.includes(hold)) return wait;
  return undefined;
}
