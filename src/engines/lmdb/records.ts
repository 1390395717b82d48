import type { Entry, Event, Revision } from "../../store/change.js";

// How everything is laid down in the live file. A record's kind is the first character of its key.

export const metaKey = "m";
export const entryKey = (key: string) => `k${key}`;
export const sessionKey = (id: string) => `s${id}`;
/** The keys bound to a session, so that its end finds them. */
export const bindingKey = (session: string, key: string) => `b${session}/${key}`;
export const peerKey = (id: string) => `p${id}`;
/** Who watches this very key. */
export const watchersKey = (key: string) => `w${key}`;
/**
 * A commit that somebody watches; hexadecimal of one length, so that the order of keys is that of revisions.
 */
export const logKey = (revision: Revision) => `l${revision.toString(16).padStart(16, "0")}`;
/** A key whose durable copy is behind. */
export const unkeptKey = (key: string) => `u${key}`;

/**
 * The one record that every transaction reads and most write. Revisions are stored as doubles, which hold
 * every whole number up to 2^53: a thousand years of commits, read and written in a fraction of a big
 * integer's time.
 */
export interface Meta {
  revision: Revision;
  /** No revision above this may be handed out before a higher ceiling is safely on disk. */
  ceiling: Revision;
  /** No session expires before this reading of the host's clock. */
  earliestExpiry: number;
  /** Counts the changes to the table of peers. */
  peersVersion: number;
  /** The log knows nothing of commits up to here. */
  forgottenUntil: Revision;
  logLength: number;
  logBytes: number;
  /** The generation of journals that durable copies go to. */
  generation: number;
  /** How many keys have watchers of their own. */
  watchedKeys: number;
}

export function encodeMeta(meta: Meta): Buffer {
  const bytes = Buffer.allocUnsafe(56);
  bytes.writeDoubleBE(Number(meta.revision), 0);
  bytes.writeDoubleBE(Number(meta.ceiling), 8);
  bytes.writeDoubleBE(meta.earliestExpiry, 16);
  bytes.writeUInt32BE(meta.peersVersion, 24);
  bytes.writeUInt32BE(meta.logLength, 28);
  bytes.writeDoubleBE(Number(meta.forgottenUntil), 32);
  bytes.writeUInt32BE(meta.generation, 40);
  bytes.writeUInt32BE(meta.watchedKeys, 44);
  bytes.writeDoubleBE(meta.logBytes, 48);
  return bytes;
}

export function decodeMeta(bytes: Buffer): Meta {
  return {
    revision: BigInt(bytes.readDoubleBE(0)),
    ceiling: BigInt(bytes.readDoubleBE(8)),
    earliestExpiry: bytes.readDoubleBE(16),
    peersVersion: bytes.readUInt32BE(24),
    logLength: bytes.readUInt32BE(28),
    forgottenUntil: BigInt(bytes.readDoubleBE(32)),
    generation: bytes.readUInt32BE(40),
    watchedKeys: bytes.readUInt32BE(44),
    logBytes: bytes.readDoubleBE(48),
  };
}

export function encodeEntry(entry: Entry): Buffer {
  const session = entry.session ?? "";
  const head = 17 + session.length;
  const bytes = Buffer.allocUnsafe(head + entry.value.length);
  bytes.writeDoubleBE(Number(entry.created), 0);
  bytes.writeDoubleBE(Number(entry.modified), 8);
  bytes[16] = session.length;
  bytes.write(session, 17, "latin1");
  bytes.set(entry.value, head);
  return bytes;
}

export function decodeEntry(key: string, bytes: Buffer): Entry {
  const head = 17 + (bytes[16] as number);
  return {
    key,
    value: bytes.subarray(head),
    created: BigInt(bytes.readDoubleBE(0)),
    modified: BigInt(bytes.readDoubleBE(8)),
    session: head === 17 ? undefined : bytes.toString("latin1", 17, head),
  };
}

export interface SessionRecord {
  /** The reading of the host's monotonic clock at which it ends unless renewed. */
  expiresAt: number;
  readonly ttlMs: number;
  readonly label: string;
}

export function encodeSession(session: SessionRecord): Buffer {
  const bytes = Buffer.allocUnsafe(16 + Buffer.byteLength(session.label));
  bytes.writeDoubleBE(session.expiresAt, 0);
  bytes.writeDoubleBE(session.ttlMs, 8);
  bytes.write(session.label, 16);
  return bytes;
}

/** The one field that every lock asks for. */
export function expiryOf(session: Buffer): number {
  return session.readDoubleBE(0);
}

export function decodeSession(bytes: Buffer): SessionRecord {
  return {
    expiresAt: bytes.readDoubleBE(0),
    ttlMs: bytes.readDoubleBE(8),
    label: bytes.toString("utf8", 16),
  };
}

/** A client that holds or watches something, as the others know it. */
export interface PeerRecord {
  /** Where its doorbell hangs. */
  readonly socket: string;
  /** The prefixes that it watches. */
  readonly interest: readonly string[];
}

export function encodePeer(peer: PeerRecord): Buffer {
  return Buffer.from(JSON.stringify(peer));
}

export function decodePeer(bytes: Buffer): PeerRecord {
  return JSON.parse(bytes.toString()) as PeerRecord;
}

export function encodeWatchers(ids: readonly string[]): Buffer {
  return Buffer.from(ids.join(","), "latin1");
}

export function decodeWatchers(bytes: Buffer): string[] {
  return bytes.toString("latin1").split(",");
}

/** The events of one commit: each a kind, a key and, of a put, the entry. */
export function encodeEvents(events: readonly Event[]): Buffer {
  const parts: Buffer[] = [];
  for (const event of events) {
    const key = Buffer.from(event.key);
    const entry = event.kind === "put" ? encodeEntry(event.entry) : Buffer.alloc(0);
    const head = Buffer.allocUnsafe(7);
    head[0] = event.kind === "put" ? 1 : 0;
    head.writeUInt16BE(key.length, 1);
    head.writeUInt32BE(entry.length, 3);
    parts.push(head, key, entry);
  }
  return Buffer.concat(parts);
}

export function decodeEvents(revision: Revision, bytes: Buffer): Event[] {
  const events: Event[] = [];
  for (let at = 0; at < bytes.length;) {
    const keyAt = at + 7;
    const entryAt = keyAt + bytes.readUInt16BE(at + 1);
    const end = entryAt + bytes.readUInt32BE(at + 3);
    const key = bytes.toString("utf8", keyAt, entryAt);
    if (bytes[at] === 1) {
      events.push({ kind: "put", key, revision, entry: decodeEntry(key, bytes.subarray(entryAt, end)) });
    } else {
      events.push({ kind: "delete", key, revision });
    }
    at = end;
  }
  return events;
}
