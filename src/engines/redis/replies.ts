import type { Entry, Event, Query, Revision, SessionInfo, Snapshot } from "../../store/change.js";
import { arrange } from "../../store/rules.js";

/** What the script answers: see there. */
export type Reply = readonly [waitMs: number | null, ...answers: Answer[]];

export type Answer = readonly [
  verdict: number | Buffer,
  revision: number,
  keys?: readonly Buffer[],
  raws?: readonly (Buffer | null)[],
  sessions?: readonly (Buffer | number)[] | null,
];

export function snapshotOf(answer: Answer, query: Query | undefined): Snapshot {
  const [, stamp, keys = [], raws = [], sessions] = answer;
  const revision = BigInt(stamp);
  const entries: Entry[] = [];
  for (let i = 0; i < keys.length; i++) {
    const raw = raws[i];
    if (raw) entries.push(decodeEntry(keys[i]!.toString(), raw));
  }
  const snapshot = { revision, entries: query ? arrange(entries, query) : entries };
  return sessions ? { ...snapshot, sessions: decodeSessions(sessions) } : snapshot;
}

function decodeSessions(fields: readonly (Buffer | number)[]): SessionInfo[] {
  const sessions: SessionInfo[] = [];
  for (let i = 0; i < fields.length; i += 3) {
    const [ttl, label] = splitOnce(String(fields[i + 2]), " ");
    sessions.push({ id: String(fields[i]), label, ttlMs: Number(ttl), remainingMs: Number(fields[i + 1]) });
  }
  return sessions;
}

/** A commit as it is told to watchers. */
export interface Told {
  readonly revision: Revision;
  /** How long until a session may be due; null when there is none. */
  readonly waitMs: number | null;
  /** None where the commit was too long to be told. */
  readonly events: readonly Event[];
  /** The oldest key of what the commit shows. */
  readonly shown: Entry | undefined;
}

/**
 * A message: the revision, and in how many milliseconds a session may be due; and of each event its key, a
 * length and so many bytes. So too, before them and after a control character, what it shows.
 */
export function decodeTold(message: Buffer): Told {
  const head = message.indexOf(lineEnd);
  const [stamp, wait] = splitOnce(message.toString("latin1", 0, head), " ");
  const revision = BigInt(stamp);
  const events: Event[] = [];
  let shown: Entry | undefined;
  for (let at = head + 1; at < message.length;) {
    const second = message.indexOf(lineEnd, at);
    const third = message.indexOf(lineEnd, second + 1);
    const key = message.toString("utf8", at, second);
    const length = Number(message.toString("latin1", second + 1, third));
    at = third + 1 + length;
    const raw = message.subarray(third + 1, at);
    if (key.startsWith("\u0001")) shown = decodeEntry(key.slice(1), raw);
    else if (length === 0) events.push({ kind: "delete", key, revision });
    else events.push({ kind: "put", key, revision, entry: decodeEntry(key, raw) });
  }
  return { revision, waitMs: wait === "" ? null : Number(wait), events, shown };
}

const lineEnd = "\n".charCodeAt(0);

/** More than two revisions and the name of a session take. */
const longestHead = 64;

/** What is stored of a key: "created modified session value". */
function decodeEntry(key: string, raw: Buffer): Entry {
  const head = raw.toString("latin1", 0, longestHead);
  const first = head.indexOf(" ");
  const second = head.indexOf(" ", first + 1);
  const third = head.indexOf(" ", second + 1);
  const created = head.slice(0, first);
  const modified = head.slice(first + 1, second);
  const birth = BigInt(created);
  return {
    key,
    // Copied: what comes from the network is a slice of something larger, which would be kept for it.
    value: new Uint8Array(raw.subarray(third + 1)),
    created: birth,
    modified: modified === created ? birth : BigInt(modified),
    session: head.slice(second + 1, third) || undefined,
  };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}
