import type { RootDatabase } from "lmdb";
import type { Change, Committed, Entry, Event, Refused, Revision } from "../../store/change.js";
import { entryAfter, firstFailure } from "../../store/rules.js";
import type { Interests } from "./interests.js";
import { LiveView } from "./live-view.js";
import * as records from "./records.js";
import type { PeerRecord, SessionRecord } from "./records.js";

/** So many watched commits are remembered; a watcher that is further behind gets a resync. */
const mostLogged = 4096;
const mostLoggedBytes = 16 * 1024 * 1024;
/** The value of a binding, which is all key. */
const nothing = Buffer.alloc(0);

/** One indivisible step on the live file: any number of changes, each with its own verdict and revision. */
export class LiveTransaction extends LiveView {
  /** The peers that watch something which this transaction touched. */
  readonly toRing = new Set<string>();
  /** Whether an unbound key was written, so that the durable copy is behind. */
  wroteUnbound = false;
  readonly #interests: Interests;
  #dirty = false;

  constructor(db: RootDatabase<Buffer, string>, now: number, interests: Interests) {
    super(db, now);
    this.#interests = interests;
    if (this.meta.earliestExpiry <= now) this.#expire();
  }

  commit(change: Change): Committed | Refused {
    const failed = firstFailure(change, this);
    if (failed) return { ok: false, failed, snapshot: this.snapshot(change.read) };
    this.#apply(change);
    return { ok: true, revision: this.meta.revision, snapshot: this.snapshot(change.read) };
  }

  putSession(id: string, session: SessionRecord): void {
    this.db.putSync(records.sessionKey(id), records.encodeSession(session));
    if (session.expiresAt < this.meta.earliestExpiry) {
      this.meta.earliestExpiry = session.expiresAt;
      this.#dirty = true;
    }
  }

  /** False when the session is gone. */
  renewSession(id: string): boolean {
    const session = this.session(id);
    if (!session || session.expiresAt <= this.now) return false;
    this.putSession(id, { ...session, expiresAt: this.now + session.ttlMs });
    return true;
  }

  /** Ends a session; all its keys vanish in one commit. */
  endSession(id: string): void {
    if (this.db.get(records.sessionKey(id)) === undefined) return;
    const bindings = records.bindingKey(id, "");
    const bound = [...this.scan(bindings)].map(([key]) => key.slice(bindings.length));
    this.#apply({ then: bound.map((key) => ({ kind: "delete", key })) });
    this.db.removeSync(records.sessionKey(id));
  }

  putPeer(id: string, peer: PeerRecord): void {
    this.db.putSync(records.peerKey(id), records.encodePeer(peer));
    this.#peersChanged();
  }

  /** Sets the prefixes that a peer watches. */
  setInterest(id: string, interest: readonly string[]): void {
    const bytes = this.db.get(records.peerKey(id));
    if (bytes) this.putPeer(id, { ...records.decodePeer(bytes), interest });
  }

  /** Forgets a peer that is gone, and ends its sessions, whose ids begin with its own. */
  removePeer(id: string): void {
    if (this.db.get(records.peerKey(id)) === undefined) return;
    this.db.removeSync(records.peerKey(id));
    this.#peersChanged();
    for (const [key] of [...this.scan(records.watchersKey(""))]) this.unwatchKey(key.slice(1), id);
    for (const [key] of [...this.scan(records.sessionKey(`${id}.`))]) this.endSession(key.slice(1));
  }

  /** Notes that a peer watches this very key. */
  watchKey(key: string, peer: string): void {
    const watchers = this.#watchersOf(key);
    if (!watchers.includes(peer)) this.#putWatchers(key, watchers, [...watchers, peer]);
  }

  unwatchKey(key: string, peer: string): void {
    const watchers = this.#watchersOf(key);
    const others = watchers.filter((watcher) => watcher !== peer);
    if (others.length < watchers.length) this.#putWatchers(key, watchers, others);
  }

  /** The durable copy holds what these keys were at these revisions. */
  markKept(kept: ReadonlyMap<string, Buffer>): void {
    for (const [key, mark] of kept) {
      // A key that was written again since keeps its mark.
      const now = this.db.get(records.unkeptKey(key));
      if (now?.equals(mark)) this.db.removeSync(records.unkeptKey(key));
    }
  }

  raiseCeiling(ceiling: Revision): void {
    if (ceiling <= this.meta.ceiling) return;
    this.meta.ceiling = ceiling;
    this.#dirty = true;
  }

  /** From now on, durable copies go to journals of this generation. */
  beginGeneration(generation: number): void {
    this.meta.generation = generation;
    this.#dirty = true;
  }

  /** Must be the last call. */
  finish(): void {
    if (this.#dirty) this.db.putSync(records.metaKey, records.encodeMeta(this.meta));
  }

  #apply(change: Change): void {
    const revision = this.meta.revision + 1n;
    const events: Event[] = [];
    for (const write of change.then) {
      const before = this.get(write.key);
      this.lastRead = undefined;
      if (write.kind === "put") {
        const entry = entryAfter(write, before, revision);
        this.db.putSync(records.entryKey(write.key), records.encodeEntry(entry));
        if (before?.session !== entry.session) this.#rebind(write.key, before?.session, entry.session);
        this.#markUnkept(write.key, revision, before, entry);
        events.push({ kind: "put", key: write.key, revision, entry });
      } else if (before) {
        this.db.removeSync(records.entryKey(write.key));
        if (before.session !== undefined) this.#rebind(write.key, before.session, undefined);
        this.#markUnkept(write.key, revision, before, undefined);
        events.push({ kind: "delete", key: write.key, revision });
      }
    }
    if (events.length === 0) return;
    this.meta.revision = revision;
    this.#dirty = true;
    this.#tell(revision, events);
  }

  #rebind(key: string, from: string | undefined, to: string | undefined): void {
    if (from !== undefined) this.db.removeSync(records.bindingKey(from, key));
    if (to !== undefined) this.db.putSync(records.bindingKey(to, key), nothing);
  }

  /**
   * Only what is, or was, unbound has a durable copy: what is bound dies with its session, at the latest at a
   * reboot.
   */
  #markUnkept(key: string, revision: Revision, before: Entry | undefined, after: Entry | undefined): void {
    const wasUnbound = before !== undefined && before.session === undefined;
    const isUnbound = after !== undefined && after.session === undefined;
    if (!wasUnbound && !isUnbound) return;
    this.wroteUnbound = true;
    this.db.putSync(records.unkeptKey(key), Buffer.from(revision.toString()));
  }

  #watchersOf(key: string): string[] {
    if (this.meta.watchedKeys === 0) return [];
    const bytes = this.db.get(records.watchersKey(key));
    return bytes ? records.decodeWatchers(bytes) : [];
  }

  #putWatchers(key: string, before: readonly string[], after: readonly string[]): void {
    if (after.length > 0) this.db.putSync(records.watchersKey(key), records.encodeWatchers(after));
    else this.db.removeSync(records.watchersKey(key));
    if (before.length === 0) this.meta.watchedKeys++;
    else if (after.length === 0) this.meta.watchedKeys--;
    this.#dirty = true;
  }

  /**
   * Rings those who watch what a commit touched, and logs it for those who watch prefixes. What nobody
   * watches leaves no trace.
   */
  #tell(revision: Revision, events: readonly Event[]): void {
    if (this.meta.watchedKeys > 0) {
      for (const { key } of events) for (const peer of this.#watchersOf(key)) this.toRing.add(peer);
    }
    const watching = this.#interests.among(events, this);
    if (watching.length === 0) return;
    for (const peer of watching) this.toRing.add(peer);
    const bytes = records.encodeEvents(events);
    this.db.putSync(records.logKey(revision), bytes);
    this.meta.logLength++;
    this.meta.logBytes += bytes.length;
    if (this.meta.logLength > mostLogged || this.meta.logBytes > mostLoggedBytes) this.#trimLog();
  }

  /** Forgets the older half of the log. */
  #trimLog(): void {
    const { meta } = this;
    const logged = [...this.scan("l")].map(([key, bytes]) => ({ key, length: bytes.length }));
    for (const { key, length } of logged) {
      if (meta.logLength <= mostLogged / 2 && meta.logBytes <= mostLoggedBytes / 2) return;
      this.db.removeSync(key);
      meta.logLength--;
      meta.logBytes -= length;
      meta.forgottenUntil = BigInt(`0x${key.slice(1)}`);
    }
  }

  #peersChanged(): void {
    this.meta.peersVersion = (this.meta.peersVersion + 1) % 2 ** 32;
    this.#dirty = true;
    this.#interests.forget();
  }

  #expire(): void {
    let earliest = Infinity;
    const overdue: string[] = [];
    for (const [key, bytes] of this.scan("s")) {
      const { expiresAt } = records.decodeSession(bytes);
      if (expiresAt <= this.now) overdue.push(key.slice(1));
      else earliest = Math.min(earliest, expiresAt);
    }
    for (const id of overdue) this.endSession(id);
    this.meta.earliestExpiry = earliest;
    this.#dirty = true;
  }
}
