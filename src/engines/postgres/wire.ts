import type { Change, Condition, Entry, Event, Query, Revision, Snapshot } from "../../store/change.js";
import { maxKeyBytes } from "../../store/keys.js";

/** One of the things that the function `transact` does, as commit.sql describes them. */
export type Request =
  | { readonly when: readonly object[]; readonly then: readonly object[]; readonly read?: object }
  | { readonly open: string; readonly label: string; readonly ttlMs: number }
  | { readonly renew: string }
  | { readonly end: string }
  | { readonly listen: string; readonly to: readonly (readonly [string, boolean])[]; readonly read: object }
  | { readonly deafen: string; readonly prefix: string; readonly exact: boolean };

type PlainEntry = readonly [string, string, string, string, string | null];
type PlainSession = readonly [string, string, number, number];
/** What a query finds, as look.sql gives it. */
export type Found = readonly [readonly PlainEntry[], readonly PlainSession[] | null];
export type ChangeAnswer = readonly [failed: number, revision: string, found: Found | null];
export type ListenAnswer = readonly [dueInMs: number, revision: string, found: Found | null];
/** What a client is told on its channel; null for events that were too long to be told. */
export type Told = readonly [revision: string, events: readonly PlainEvent[] | null];
/** A key that was deleted, or what was put there, and which revision made it. */
type PlainEvent =
  readonly [key: string] | readonly [key: string, value: string, created: string, session: string | null];

const lastCharacter = 0x10ffff;
/** Above every key: a key is too short to hold as many characters of four bytes. */
const aboveAllKeys = String.fromCodePoint(lastCharacter).repeat(Math.floor(maxKeyBytes / 4) + 1);

export function requestOf({ when = [], then, read }: Change): Request {
  return {
    when: when.map(plainCondition),
    then: then.map((write) => {
      if (write.kind === "delete") return { kind: write.kind, key: write.key };
      const { kind, key, session } = write;
      const value = Buffer.from(write.value.buffer, write.value.byteOffset, write.value.length);
      const put = { kind, key, value: value.toString("base64") };
      return session === undefined ? put : { ...put, session: sessionName(session) };
    }),
    ...(read && { read: plainQuery(read) }),
  };
}

export function plainQuery(query: Query): object {
  if ("key" in query) return { key: query.key };
  const { prefix, order, limit, sessions } = query;
  return { prefix, until: endOf(prefix), order, limit, sessions };
}

/** The first key after all that begin with the prefix. */
function endOf(prefix: string): string {
  const characters = Array.from(prefix);
  while (characters.length > 0) {
    const last = (characters.pop() as string).codePointAt(0) as number;
    // What lies between these two is no character.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= lastCharacter) return characters.join("") + String.fromCodePoint(next);
  }
  return aboveAllKeys;
}

function plainCondition(condition: Condition): object {
  switch (condition.kind) {
    case "alive":
      return { kind: condition.kind, session: sessionName(condition.session) };
    case "absent":
      return condition;
    default:
      return { ...condition, revision: String(condition.revision) };
  }
}

/** An id that is none of ours may hold what Postgres cannot read. */
function sessionName(id: string): string {
  return /^[0-9a-f]{20}$/.test(id) ? id : "";
}

export function snapshotOf(revision: Revision, found: Found | null): Snapshot {
  const [entries, sessions] = found ?? [[], null];
  const snapshot = { revision, entries: entries.map((entry) => entryOf(...entry)) };
  if (sessions === null) return snapshot;
  return {
    ...snapshot,
    sessions: sessions.map(([id, label, ttlMs, remainingMs]) => ({ id, label, ttlMs, remainingMs })),
  };
}

function entryOf(
  key: string,
  value: string,
  created: string,
  modified: string,
  session: string | null,
): Entry {
  return {
    key,
    value: Buffer.from(value, "base64"),
    created: BigInt(created),
    modified: BigInt(modified),
    session: session ?? undefined,
  };
}

export function eventOf(event: PlainEvent, revision: Revision): Event {
  if (event.length === 1) return { kind: "delete", key: event[0], revision };
  const [key, value, created, session] = event;
  return { kind: "put", key, revision, entry: entryOf(key, value, created, String(revision), session) };
}
