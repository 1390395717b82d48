import { describeBy, isBefore, type Operation } from "../history.js";
import type { PartVerdict } from "../model.js";
import type { Anomaly } from "../verdict.js";
import { inCallOrder } from "../in-call-order.js";

/** From a grant to the release of it, by the client who got it. */
interface Hold {
  readonly acquire: Operation;
  release: Operation | undefined;
}

/** What clients did with a mutex, in so far as it says something. */
interface Holds {
  readonly holds: Hold[];
  /** The acquires that found that somebody has it. */
  readonly denied: Operation[];
  /** Nobody knows whether some acquire was granted. */
  readonly isGrantUnknown: boolean;
  /** Some client may have released what it had not got; then that may have ended a later hold of it. */
  readonly isReleaseStray: boolean;
}

/**
 * Judges a mutex whose clients did one thing after the other, in the time that it takes to sort, however many
 * wait at once. Undefined if a client released what it had not got, say: the search will find out why.
 *
 * A hold lasts at least from the answer of its acquire to the call of its release; let that be its core. In
 * an order that is possible no two holds overlap, nor do their cores: where the answer of each acquire came
 * before the call of the other's release, each is before the other's release, so neither hold can come first.
 * And if no cores overlap there is an order: each acquire at the moment of its answer, and each release at
 * that of its call.
 *
 * Then the holds can stand in no other order, and each can last from the call of its acquire to the answer of
 * its release, save that it must not overlap the next. A release and the next acquire that were open together
 * can stand side by side, so an acquire that was denied has no place only where it was called after one hold
 * was over, and answered before the next one began.
 *
 * An acquire with an unknown outcome need not have happened. A release that is unknown, of what its client
 * had, is taken to have happened, as one without an answer: to hold on for ever is that at the very end. So
 * what is valid so is valid. What is not, is not, as a grant that is unknown makes room for no other hold: it
 * is not released, so it stands after all of them. But then somebody may have been denied for it.
 */
export function holdOrder(part: readonly Operation[]): PartVerdict | undefined {
  const found = holdsOf(part);
  if (found === undefined) return undefined;
  const { holds, denied, isGrantUnknown, isReleaseStray } = found;
  // They overlap if those do that are next to each other.
  holds.sort((a, b) => a.acquire.returned - b.acquire.returned);
  const atOnce = overlapping(holds);
  if (atOnce !== undefined) return isReleaseStray ? undefined : atOnce;
  const wronglyDenied = deniedWhileFree(holds, denied);
  if (wronglyDenied === undefined) return "valid";
  return isGrantUnknown || isReleaseStray ? undefined : wronglyDenied;
}

/** Undefined unless each client did one thing after the other, and released only what it had. */
function holdsOf(part: readonly Operation[]): Holds | undefined {
  const holds: Hold[] = [];
  const denied: Operation[] = [];
  let isGrantUnknown = false;
  let isReleaseStray = false;
  const last = new Map<unknown, Operation>();
  const held = new Map<unknown, Hold>();
  for (const operation of part) {
    const { client, name, outcome, result } = operation;
    if (outcome === "fail") continue;
    const before = last.get(client);
    if (before !== undefined && !isBefore(before, operation)) return undefined;
    if (outcome === "ok") last.set(client, operation);
    const hold = held.get(client);
    if (name === "release") {
      if (hold !== undefined) hold.release = operation;
      else if (outcome === "ok") return undefined;
      else isReleaseStray = true;
      held.delete(client);
    } else if (outcome === "unknown") {
      isGrantUnknown = true;
    } else if (result === false) {
      denied.push(operation);
    } else {
      const granted: Hold = { acquire: operation, release: undefined };
      holds.push(granted);
      held.set(client, granted);
    }
  }
  return { holds, denied, isGrantUnknown, isReleaseStray };
}

function overlapping(holds: readonly Hold[]): Anomaly | undefined {
  for (let index = 1; index < holds.length; index++) {
    const [{ acquire: first, release }, { acquire: second }] = [holds[index - 1]!, holds[index]!];
    if (release !== undefined && !isBefore(second, release)) continue;
    const until = release === undefined ? "nobody released it" : `${describeBy(release)} came only later`;
    return {
      name: "two holders",
      explanation: `${describeBy(second)} was granted while ${describeBy(first)} still held, for ${until}.`,
      operations: inCallOrder(release === undefined ? [first, second] : [first, second, release]),
    };
  }
  return undefined;
}

function deniedWhileFree(holds: readonly Hold[], denied: readonly Operation[]): Anomaly | undefined {
  let next = 0;
  for (const operation of denied) {
    while (next < holds.length && isBefore(holds[next]!.acquire, operation)) next++;
    const [earlier, later] = [holds[next - 1], holds[next]];
    const isReleased = earlier === undefined || (earlier.release && isBefore(earlier.release, operation));
    if (!isReleased || (later !== undefined && !isBefore(operation, later.acquire))) continue;
    const known = [earlier?.acquire, earlier?.release, operation, later?.acquire];
    return {
      name: "denied while free",
      explanation: `${describeBy(operation)} found it taken, but ${whyFree(earlier, later)}.`,
      operations: inCallOrder(known.filter((each) => each !== undefined)),
    };
  }
  return undefined;
}

function whyFree(earlier: Hold | undefined, later: Hold | undefined): string {
  const before = earlier?.release && `${describeBy(earlier.release)} was over before`;
  const after = later && `${describeBy(later.acquire)} began only after it`;
  if (before === undefined && after === undefined) return "nobody ever got it";
  return [before ?? "nobody got it before", after ?? "nobody got it after that"].join(", and ");
}
