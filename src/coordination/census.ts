import type { Clock } from "../base/clock.js";
import type { Entry, SessionInfo } from "../store/change.js";
import { unescapeSegment } from "../store/keys.js";
import type { Store } from "../store/store.js";
import { decodeTicket } from "./ticket.js";

/** One who holds, or waits. */
export interface Contender {
  readonly token: bigint;
  readonly session: string;
  /** What the owner of the session calls itself. */
  readonly label: string;
  /** How long ago it joined the queue, or a leader last proclaimed a value, by the wall clocks. */
  readonly ageMs: number;
  /** How long its session lives on unless renewed. */
  readonly expiresInMs: number;
  /** What a candidate proclaims. */
  readonly value?: string;
}

/** Who holds a name, and who waits for it, in order. */
export interface Holding {
  readonly name: string;
  readonly holder: Contender;
  readonly queue: readonly Contender[];
}

/** Who holds what and who waits for it, all as it stood at about one moment. */
export interface Census {
  readonly sessions: readonly SessionInfo[];
  readonly locks: readonly Holding[];
  readonly elections: readonly Holding[];
}

export async function takeCensus(store: Store, clock: Clock): Promise<Census> {
  const [locks, elections] = await Promise.all([
    store.read({ prefix: "lock/", order: "created", sessions: true }),
    store.read({ prefix: "election/", order: "created" }),
  ]);
  const sessions = locks.sessions ?? [];
  const byId = new Map(sessions.map((session) => [session.id, session]));
  const holdings = (entries: readonly Entry[]) => holdingsOf(entries, byId, clock.wallNow());
  return { sessions, locks: holdings(locks.entries), elections: holdings(elections.entries) };
}

/** Groups the places of all queues, the oldest first, by what they queue for. */
function holdingsOf(entries: readonly Entry[], sessions: Map<string, SessionInfo>, now: number): Holding[] {
  const queues = new Map<string, Contender[]>();
  for (const entry of entries) {
    const name = unescapeSegment(entry.key.split("/")[1] ?? "");
    const queue = queues.get(name) ?? [];
    queue.push(contenderOf(entry, sessions, now));
    queues.set(name, queue);
  }
  return [...queues].flatMap(([name, [holder, ...queue]]) => (holder ? [{ name, holder, queue }] : []));
}

function contenderOf(entry: Entry, sessions: Map<string, SessionInfo>, now: number): Contender {
  const ticket = decodeTicket(entry);
  const session = sessions.get(entry.session ?? "");
  return {
    token: entry.created,
    session: entry.session ?? "",
    label: session?.label ?? "",
    ageMs: Math.max(0, now - ticket.since),
    expiresInMs: session?.remainingMs ?? 0,
    ...(ticket.value === undefined ? {} : { value: ticket.value }),
  };
}
