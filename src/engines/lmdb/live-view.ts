import type { RootDatabase } from "lmdb";
import type { Entry, Event, Query, Revision, SessionInfo, Snapshot } from "../../store/change.js";
import { arrange, type View } from "../../store/rules.js";
import * as records from "./records.js";
import type { Meta, SessionRecord } from "./records.js";

/** A read of the live file at one moment. Shared by transactions, which see their own writes. */
export class LiveView implements View {
  protected readonly db: RootDatabase<Buffer, string>;
  readonly now: number;
  readonly meta: Meta;
  protected lastRead: { readonly key: string; readonly entry: Entry | undefined } | undefined;

  constructor(db: RootDatabase<Buffer, string>, now: number) {
    this.db = db;
    this.now = now;
    this.meta = records.decodeMeta(db.getBinaryFast(records.metaKey) as Buffer);
  }

  get(key: string): Entry | undefined {
    // What a condition looks at is mostly what the write that follows looks at again.
    if (this.lastRead?.key === key) return this.lastRead.entry;
    const bytes = this.db.get(records.entryKey(key));
    const entry = bytes && records.decodeEntry(key, bytes);
    this.lastRead = { key, entry };
    return entry;
  }

  isAlive(id: string): boolean {
    const bytes = this.db.getBinaryFast(records.sessionKey(id));
    return bytes !== undefined && records.expiryOf(bytes) > this.now;
  }

  session(id: string): SessionRecord | undefined {
    const bytes = this.db.get(records.sessionKey(id));
    return bytes && records.decodeSession(bytes);
  }

  snapshot(query: Query | undefined): Snapshot {
    const { revision } = this.meta;
    if (query === undefined) return { revision, entries: [] };
    if ("key" in query) {
      const entry = this.get(query.key);
      return { revision, entries: entry ? [entry] : [] };
    }
    const found: Entry[] = [];
    const enough = query.order === "created" ? Infinity : (query.limit ?? Infinity);
    const start = records.entryKey(query.prefix);
    for (const { key, value } of this.db.getRange(rangeOf(start))) {
      if (!key.startsWith(start)) break;
      found.push(records.decodeEntry(key.slice(1), value));
      if (found.length >= enough) break;
    }
    const entries = arrange(found, query);
    return query.sessions ? { revision, entries, sessions: this.#sessions() } : { revision, entries };
  }

  /** Every key that is bound to no session. */
  *unbound(): Generator<Entry, void, void> {
    for (const [key, bytes] of this.scan(records.entryKey(""))) {
      const entry = records.decodeEntry(key.slice(1), bytes);
      if (entry.session === undefined) yield entry;
    }
  }

  /** The records whose keys begin with `prefix`, in the order of their keys. */
  *scan(prefix: string): Generator<[key: string, bytes: Buffer], void, void> {
    for (const { key, value } of this.db.getRange({ start: prefix })) {
      if (!key.startsWith(prefix)) return;
      yield [key, value];
    }
  }

  /** The watched commits after `revision`, the oldest first. */
  *logAfter(revision: Revision): Generator<{ revision: Revision; events: Event[] }, void, void> {
    for (const { key, value } of this.db.getRange({ start: records.logKey(revision + 1n) })) {
      if (!key.startsWith("l")) return;
      const logged = BigInt(`0x${key.slice(1)}`);
      yield { revision: logged, events: records.decodeEvents(logged, value) };
    }
  }

  #sessions(): SessionInfo[] {
    const sessions: SessionInfo[] = [];
    for (const [key, bytes] of this.scan("s")) {
      const { label, ttlMs, expiresAt } = records.decodeSession(bytes);
      if (expiresAt > this.now) {
        sessions.push({ id: key.slice(1), label, ttlMs, remainingMs: expiresAt - this.now });
      }
    }
    return sessions;
  }
}

/** Where a prefix begins and, if that is easily said, ends, so that the record behind it need not be read. */
function rangeOf(start: string): { start: string; end?: string } {
  const last = start.charCodeAt(start.length - 1);
  return last < 0x7f ? { start, end: start.slice(0, -1) + String.fromCharCode(last + 1) } : { start };
}
