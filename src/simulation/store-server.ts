import type { Change, Committed, Entry, Event, Query, Refused, Snapshot } from "../store/change.js";
import { compareKeys } from "../store/keys.js";
import { arrange, copied, entryAfter, firstFailure, type View } from "../store/rules.js";
import type { ProcessClock } from "./process-clock.js";

/** So many commits are remembered, for watches that begin in the past. */
const rememberedCommits = 256;

interface Lease {
  readonly label: string;
  readonly ttlMs: number;
  expiresAt: number;
}

/** What one commit did. */
export interface News {
  readonly revision: bigint;
  readonly events: readonly Event[];
  readonly shown: Entry | undefined;
}

/** The same, with what it takes to undo it. */
interface Step extends News {
  /** What each event replaced. */
  readonly before: readonly (Entry | undefined)[];
  /** The leases that ended with it, or since, before the next one. */
  readonly ended: Map<string, Lease>;
}

interface Listener {
  /** It wants to know of the keys that begin so; where it is exact, of that very key. */
  readonly prefix: string;
  readonly exact: boolean;
  readonly tell: (news: News) => void;
}

/** The store of a simulated world, on the far side of the network: every method is one indivisible step. */
export class StoreServer implements View {
  readonly #clock: ProcessClock;
  readonly #onExpiry: () => void;
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Map<string, Lease>();
  readonly #listeners = new Set<Listener>();
  #steps: Step[] = [];
  #revision = 0n;
  #forgottenUntil = 0n;
  #opened = 0;

  constructor(clock: ProcessClock, onExpiry: () => void) {
    this.#clock = clock;
    this.#onExpiry = onExpiry;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  isAlive(session: string): boolean {
    return this.#leases.has(session);
  }

  /** Keeps the values of the change: nobody may write to them any more. */
  commit(change: Change): Committed | Refused {
    const failed = firstFailure(change, this);
    if (failed) return { ok: false, failed, snapshot: this.#snapshot(change.read) };
    this.#apply(change);
    return { ok: true, revision: this.#revision, snapshot: this.#snapshot(change.read) };
  }

  read(query: Query): Snapshot {
    return this.#snapshot(query);
  }

  openLease(label: string, ttlMs: number): string {
    const id = `session-${++this.#opened}`;
    const lease = { label, ttlMs, expiresAt: this.#clock.now() + ttlMs };
    this.#leases.set(id, lease);
    this.#endAtExpiry(id, lease);
    return id;
  }

  /** False when the session is over. */
  renewLease(id: string): boolean {
    const lease = this.#leases.get(id);
    if (lease) lease.expiresAt = this.#clock.now() + lease.ttlMs;
    return lease !== undefined;
  }

  endLease(id: string): void {
    const lease = this.#leases.get(id);
    if (!lease) return;
    this.#leases.delete(id);
    const bound = [...this.#entries.values()].filter((entry) => entry.session === id);
    this.#apply({ then: bound.map(({ key }) => ({ kind: "delete", key })) });
    this.#steps.at(-1)?.ended.set(id, lease);
  }

  /**
   * Hears of every later commit that concerns it. `past` is what was between `from` and now; undefined when
   * that is not known.
   */
  listen(
    listener: Listener,
    from: bigint | undefined,
  ): { past: readonly News[] | undefined; stop: () => void } {
    const isKnown = from !== undefined && from >= this.#forgottenUntil && from <= this.#revision;
    this.#listeners.add(listener);
    return {
      past: isKnown
        ? this.#steps.filter((step) => step.revision > from && isConcerned(listener, step))
        : undefined,
      stop: () => this.#listeners.delete(listener),
    };
  }

  /**
   * Another machine takes over, to which the last `lost` commits had not been copied. Tells how many were.
   */
  failOver(lost: number): number {
    const undone = lost === 0 ? [] : this.#steps.splice(-lost);
    if (undone.length > 0) {
      // Revisions are given a second time: nobody may go on from one that was given before.
      this.#forgottenUntil = this.#revision + 1n;
      this.#steps = [];
    }
    for (const { events, before, ended } of undone.reverse()) {
      events.forEach(({ key }, index) => {
        const entry = before[index];
        if (entry) this.#entries.set(key, entry);
        else this.#entries.delete(key);
      });
      for (const [id, lease] of ended) this.#revive(id, lease);
      this.#revision--;
    }
    return undone.length;
  }

  #revive(id: string, lease: Lease): void {
    this.#leases.set(id, lease);
    this.#endAtExpiry(id, lease);
  }

  #apply(change: Change): void {
    const revision = this.#revision + 1n;
    const events: Event[] = [];
    const before: (Entry | undefined)[] = [];
    for (const write of change.then) {
      const { key } = write;
      const old = this.#entries.get(key);
      if (write.kind === "put") {
        const entry = entryAfter(write, old, revision);
        this.#entries.set(key, entry);
        events.push({ kind: "put", key, revision, entry });
      } else if (old) {
        this.#entries.delete(key);
        events.push({ kind: "delete", key, revision });
      } else continue;
      before.push(old);
    }
    if (events.length === 0) return;
    this.#revision = revision;
    const shown = change.show === undefined ? undefined : this.#oldest(change.show);
    const step = { revision, events, shown, before, ended: new Map<string, Lease>() };
    this.#steps.push(step);
    if (this.#steps.length > rememberedCommits) this.#forgottenUntil = this.#steps.shift()!.revision;
    for (const listener of this.#listeners) if (isConcerned(listener, step)) listener.tell(step);
  }

  #snapshot(query: Query | undefined): Snapshot {
    const revision = this.#revision;
    if (query === undefined) return { revision, entries: [] };
    if ("key" in query) {
      const entry = this.#entries.get(query.key);
      return { revision, entries: entry ? [copied(entry)] : [] };
    }
    const found: Entry[] = [];
    for (const entry of this.#entries.values()) if (entry.key.startsWith(query.prefix)) found.push(entry);
    if (query.order !== "created") found.sort((a, b) => compareKeys(a.key, b.key));
    const entries = arrange(found, query).map(copied);
    if (!query.sessions) return { revision, entries };
    const now = this.#clock.now();
    const sessions = [...this.#leases].map(([id, { label, ttlMs, expiresAt }]) => {
      return { id, label, ttlMs, remainingMs: expiresAt - now };
    });
    return { revision, entries, sessions };
  }

  #oldest(prefix: string): Entry | undefined {
    return this.#snapshot({ prefix, order: "created", limit: 1 }).entries[0];
  }

  #endAtExpiry(id: string, lease: Lease): void {
    this.#clock.after(lease.expiresAt - this.#clock.now(), () => {
      if (this.#leases.get(id) !== lease) return;
      if (lease.expiresAt > this.#clock.now()) {
        this.#endAtExpiry(id, lease);
        return;
      }
      this.#onExpiry();
      this.endLease(id);
    });
  }
}

function isConcerned({ prefix, exact }: Listener, { events }: News): boolean {
  for (const { key } of events) if (exact ? key === prefix : key.startsWith(prefix)) return true;
  return false;
}
