import assert from "node:assert/strict";
import type { Change, Condition, Entry, Guarantees, Query, Revision, Write } from "lockstep/store";

export interface NaiveSession {
  readonly id: string;
  readonly label: string;
  readonly ttlMs: number;
  readonly expiresAt: number;
  alive: boolean;
}

/** What one commit did: the entry that each key got, or undefined where it was deleted. */
export type Deeds = ReadonlyMap<string, Entry | undefined>;

/** Commits up to a revision. Several, where sessions ended of which nobody knows in what order. */
export interface Chapter {
  readonly upTo: Revision;
  readonly commits: readonly Deeds[];
  /** All entries as they were before. */
  readonly before: ReadonlyMap<string, Entry>;
}

/**
 * What a store means, in the plainest terms, to hold an engine against: one map, looked through from end to
 * end for every question. It shares no code with any engine. It does not know what number a revision gets,
 * only which commits get a new one; the numbers are the engine's.
 */
export class NaiveStore {
  entries: ReadonlyMap<string, Entry> = new Map();
  readonly sessions: NaiveSession[] = [];
  readonly chapters: Chapter[] = [];
  revision: Revision;
  now = 0;

  /** Whether revisions also rise with what is none of ours. */
  readonly revisions: Guarantees["revisions"];

  constructor(revision: Revision, revisions: Guarantees["revisions"]) {
    this.revision = revision;
    this.revisions = revisions;
  }

  /** The engine is at this revision, and nothing was done since. */
  isAt(revision: Revision): void {
    if (this.revisions === "own") assert.equal(revision, this.revision);
    else assert.ok(revision >= this.revision, "a revision does not go back");
    this.revision = revision;
  }

  firstFailure(change: Change): Condition | undefined {
    const said = (change.when ?? []).find((condition) => !this.#holds(condition));
    if (said) return said;
    for (const write of change.then) {
      if (write.kind === "put" && write.session !== undefined && !this.#isAlive(write.session)) {
        return { kind: "alive", session: write.session };
      }
    }
    return undefined;
  }

  /** Whether it would get a revision of its own. */
  changesAnything(change: Change): boolean {
    return change.then.some((write) => write.kind === "put" || this.entries.has(write.key));
  }

  apply(change: Change, revision: Revision): void {
    const deeds = new Map<string, Entry | undefined>();
    for (const write of change.then) {
      if (write.kind === "put") deeds.set(write.key, this.#entryOf(write, revision));
      else if (this.entries.has(write.key)) deeds.set(write.key, undefined);
    }
    this.#record([deeds], revision);
  }

  /** Ends sessions, in any order, and returns whether that took any keys. */
  end(ending: readonly NaiveSession[], revision: Revision): void {
    const commits = ending.map((session) => {
      session.alive = false;
      return this.#boundTo(session);
    });
    this.#record(
      commits.filter((deeds) => deeds.size > 0),
      revision,
    );
  }

  bindsAnything(sessions: readonly NaiveSession[]): boolean {
    return sessions.some((session) => this.#boundTo(session).size > 0);
  }

  find(query: Query): Entry[] {
    const all = [...this.entries.values()].sort((a, b) =>
      Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
    );
    if ("key" in query) return all.filter(({ key }) => key === query.key);
    const found = all.filter(({ key }) => begins(key, query.prefix));
    // The sort is stable, so that keys of one age stay in their order.
    if (query.order === "created") found.sort((a, b) => Number(a.created - b.created));
    return found.slice(0, query.limit ?? found.length);
  }

  #entryOf(put: Write & { kind: "put" }, revision: Revision): Entry {
    const { key, value, session } = put;
    return { key, value, created: this.entries.get(key)?.created ?? revision, modified: revision, session };
  }

  #boundTo(session: NaiveSession): Deeds {
    const bound = [...this.entries.values()].filter((entry) => entry.session === session.id);
    return new Map(bound.map(({ key }) => [key, undefined]));
  }

  #record(commits: readonly Deeds[], upTo: Revision): void {
    this.revision = upTo;
    if (commits.every((deeds) => deeds.size === 0)) return;
    this.chapters.push({ upTo, commits, before: this.entries });
    this.entries = commits.reduce(after, this.entries);
  }

  #holds(condition: Condition): boolean {
    switch (condition.kind) {
      case "absent":
        return !this.entries.has(condition.key);
      case "created":
        return this.entries.get(condition.key)?.created === condition.revision;
      case "modified":
        return this.entries.get(condition.key)?.modified === condition.revision;
      case "alive":
        return this.#isAlive(condition.session);
    }
  }

  #isAlive(id: string): boolean {
    return this.sessions.some((session) => session.id === id && session.alive);
  }
}

/** The entries after a commit. */
export function after(entries: ReadonlyMap<string, Entry>, deeds: Deeds): ReadonlyMap<string, Entry> {
  const changed = new Map(entries);
  for (const [key, entry] of deeds) {
    if (entry) changed.set(key, entry);
    else changed.delete(key);
  }
  return changed;
}

/** Byte by byte. */
export function begins(key: string, prefix: string): boolean {
  const start = Buffer.from(prefix);
  return Buffer.from(key).subarray(0, start.length).equals(start);
}
