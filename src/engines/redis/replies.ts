import type { Entry, Event, Query, Revision, SessionInfo, Snapshot } from "../../store/change.js";
import { arrange } from "../../store/rules.js";

/** What every script answers; see commit.lua. A session's script answers as to one change. */
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
}

/** A message: "revision due seconds microseconds", and of each event its key, a length and so many bytes. */
export function decodeTold(message: Buffer): Told {
  let at = 0;
  const line = () => {
    const from = at;
    const end = message.indexOf(lineEnd, from);
    at = end + 1;
    return message.toString("utf8", from, end);
  };
  const [stamp = "", due, seconds, microseconds] = line().split(" ");
  const now = Number(seconds) * 1e6 + Number(microseconds);
  const revision = BigInt(stamp);
  const events: Event[] = [];
  while (at < message.length) {
    const key = line();
    const length = Number(line());
    const raw = message.subarray(at, (at += length));
    if (length === 0) events.push({ kind: "delete", key, revision });
    else events.push({ kind: "put", key, revision, entry: decodeEntry(key, raw) });
  }
  return { revision, waitMs: due === "0" ? null : (Number(due) - now) / 1000, events };
}

const lineEnd = "\n".charCodeAt(0);
const space = " ".charCodeAt(0);

/** What is stored of a key: "created modified session value". */
function decodeEntry(key: string, raw: Buffer): Entry {
  const first = raw.indexOf(space);
  const second = raw.indexOf(space, first + 1);
  const third = raw.indexOf(space, second + 1);
  return {
    key,
    // Copied: what comes from the network is a slice of something larger, which would be kept for it.
    value: new Uint8Array(raw.subarray(third + 1)),
    created: BigInt(raw.toString("latin1", 0, first)),
    modified: BigInt(raw.toString("latin1", first + 1, second)),
    session: second + 1 === third ? undefined : raw.toString("latin1", second + 1, third),
  };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}
