import type { Clock } from "../../base/clock.js";
import type {
  Change,
  Committed,
  Entry,
  Event,
  Query,
  Refused,
  Revision,
  SessionInfo,
  Snapshot,
} from "../../store/change.js";
import { compareKeys } from "../../store/keys.js";
import { arrange, copied, entryAfter, firstFailure, type View } from "../../store/rules.js";

/** So many commits are remembered for watches that begin in the past. */
const rememberedCommits = 1024;

interface Lease {
  readonly label: string;
  readonly ttlMs: number;
  expiresAt: number;
}

type Listener = (revision: Revision, events: readonly Event[], shown?: Entry) => void;

/** The state that the clients of one memory store share; every method is one indivisible step. */
export class MemoryData implements View {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** The keys of `entries`, in order. */
  readonly #keys: string[] = [];
  readonly #leases = new Map<string, Lease>();
  readonly #listeners = new Set<Listener>();
  readonly #remembered: { revision: Revision; events: readonly Event[] }[] = [];
  #revision: Revision = 0n;
  #forgottenUntil: Revision = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  commit(change: Change): Committed | Refused {
    this.#expire();
    const failed = firstFailure(change, this);
    if (failed) return { ok: false, failed, snapshot: this.#snapshot(change.read) };
    this.#apply(change);
    return { ok: true, revision: this.#revision, snapshot: this.#snapshot(change.read) };
  }

  read(query: Query): Snapshot {
    this.#expire();
    return this.#snapshot(query);
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  isAlive(session: string): boolean {
    return this.#leases.has(session);
  }

  openLease(id: string, label: string, ttlMs: number): void {
    const lease = { label, ttlMs, expiresAt: this.#clock.now() + ttlMs };
    this.#leases.set(id, lease);
    this.#wakeAtExpiry(id, lease);
  }

  renewLease(id: string): boolean {
    this.#expire();
    const lease = this.#leases.get(id);
    if (!lease) return false;
    lease.expiresAt = this.#clock.now() + lease.ttlMs;
    return true;
  }

  endLease(id: string): void {
    if (!this.#leases.delete(id)) return;
    const bound = [...this.#entries.values()].filter((entry) => entry.session === id);
    this.#apply({ then: bound.map((entry) => ({ kind: "delete", key: entry.key })) });
  }

  /** Hears of every later commit; what was between `from` and now is told at once, if it is remembered. */
  listen(listener: Listener, from: Revision | undefined): { complete: boolean; stop: () => void } {
    const complete = from !== undefined && from >= this.#forgottenUntil && from <= this.#revision;
    if (complete) {
      for (const { revision, events } of this.#remembered) if (revision > from) listener(revision, events);
    }
    this.#listeners.add(listener);
    return { complete, stop: () => this.#listeners.delete(listener) };
  }

  #apply(change: Change): void {
    const revision = this.#revision + 1n;
    const events: Event[] = [];
    for (const write of change.then) {
      const before = this.#entries.get(write.key);
      if (write.kind === "put") {
        // Copied: the caller keeps its array, and may write to it.
        const entry = copied(entryAfter(write, before, revision));
        if (!before) this.#keys.splice(this.#firstAtOrAfter(write.key), 0, write.key);
        this.#entries.set(write.key, entry);
        events.push({ kind: "put", key: write.key, revision, entry });
      } else if (before) {
        this.#keys.splice(this.#firstAtOrAfter(write.key), 1);
        this.#entries.delete(write.key);
        events.push({ kind: "delete", key: write.key, revision });
      }
    }
    if (events.length === 0) return;
    this.#revision = revision;
    this.#remembered.push({ revision, events });
    if (this.#remembered.length > rememberedCommits) {
      this.#forgottenUntil = this.#remembered.shift()?.revision ?? this.#forgottenUntil;
    }
    if (this.#listeners.size === 0) return;
    const shown = change.show === undefined ? undefined : this.#oldest(change.show);
    for (const listener of [...this.#listeners]) listener(revision, events, shown);
  }

  #snapshot(query: Query | undefined): Snapshot {
    const revision = this.#revision;
    if (query === undefined) return { revision, entries: [] };
    if ("key" in query) {
      const entry = this.#entries.get(query.key);
      return { revision, entries: entry ? [copied(entry)] : [] };
    }
    const found: Entry[] = [];
    for (let i = this.#firstAtOrAfter(query.prefix); i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (!key.startsWith(query.prefix)) break;
      found.push(this.#entries.get(key) as Entry);
    }
    const entries = arrange(found, query).map(copied);
    return query.sessions ? { revision, entries, sessions: this.#sessions() } : { revision, entries };
  }

  #oldest(prefix: string): Entry | undefined {
    return this.#snapshot({ prefix, order: "created", limit: 1 }).entries[0];
  }

  #sessions(): SessionInfo[] {
    const now = this.#clock.now();
    return [...this.#leases].map(([id, { label, ttlMs, expiresAt }]) => {
      return { id, label, ttlMs, remainingMs: expiresAt - now };
    });
  }

  #firstAtOrAfter(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] as string, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [id, lease] of this.#leases) if (lease.expiresAt <= now) this.endLease(id);
  }

  #wakeAtExpiry(id: string, lease: Lease): void {
    this.#clock.after(
      lease.expiresAt - this.#clock.now(),
      () => {
        if (this.#leases.get(id) !== lease) return;
        if (lease.expiresAt <= this.#clock.now()) this.endLease(id);
        else this.#wakeAtExpiry(id, lease);
      },
      "background",
    );
  }
}
