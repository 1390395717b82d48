import type { Entry, Query, Revision, SessionInfo, Snapshot } from "../../store/change.js";
import { compareKeys } from "../../store/keys.js";
import { arrange, byAge } from "../../store/rules.js";
import type { Wire } from "./client/wire.js";
import { nameOf, type Layout } from "./layout.js";
import { entryFrom } from "./node-data.js";
import { readLeaves, readTree, type Seen, type Wanted } from "./tree-reader.js";

/** So many prefixes are remembered, and so many keys of each. */
const mostRemembered = 256;
const mostOfOne = 64;

/** The oldest keys of a prefix at some look, the oldest first, and when each was made. */
interface Elders {
  readonly seenAt: Revision;
  readonly born: Map<string, Revision>;
}

const nobody: Elders = { seenAt: 0n, born: new Map() };

/**
 * Answers queries from ZooKeeper's tree.
 *
 * It remembers which keys it saw last time, by prefix. Asked for together with the listing, they mostly spare
 * a second request. And they tell who is first without a listing: whoever was not there then is younger than
 * all who were. So the oldest of them that is still there is the oldest of all.
 */
export class Snapshots {
  readonly #layout: Layout;
  readonly #remembered = new Map<string, Elders>();
  /** Who was first when a key was found gone, until somebody asks. */
  #heir: { readonly prefix: string; readonly snapshot: Snapshot } | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /**
   * Reads on this connection. Whoever has just written there names what he wrote, for it is likely to be seen
   * again. The first request is sent at once, before anything is awaited.
   */
  async read(wire: Wire, query: Query, written: readonly string[] = []): Promise<Snapshot> {
    if ("key" in query) {
      const { revision, leaves } = await readLeaves(wire, [this.#layout.pathOf(query.key)]);
      return { revision, entries: this.#entriesOf(leaves) };
    }
    const { prefix } = query;
    const elders = this.#remembered.get(prefix) ?? nobody;
    if (elders.born.size > 0 && isForFirst(query)) {
      const { first } = await this.#lookAt(wire, elders);
      if (first) return first;
    }
    const guesses = [...written.filter((key) => key.startsWith(prefix)), ...elders.born.keys()];
    const paths = guesses.map((key) => this.#layout.pathOf(key));
    const { revision, leaves } = await readTree(wire, this.#directoriesOf(query), paths);
    const entries = this.#entriesOf(leaves);
    this.#remember(prefix, { revision, entries });
    arrange(entries, query);
    return query.sessions ? { revision, entries, sessions: this.#sessionsOf(leaves) } : { revision, entries };
  }

  /**
   * Reads a key that is likely to be gone, and in the same instant who is first beside it: whoever waits in a
   * queue for the end of a key asks for that next.
   */
  async readEnd(wire: Wire, key: string): Promise<Snapshot> {
    const prefix = directoryIn(key);
    const { seenAt, born } = this.#remembered.get(prefix) ?? nobody;
    const others = new Map([...born].filter(([each]) => each !== key));
    const { revision, entry, first } = await this.#lookAt(wire, { seenAt, born: others }, key);
    if (first && !entry) this.#heir = { prefix, snapshot: first };
    return { revision, entries: entry ? [entry] : [] };
  }

  /** What a look for something else has shown already, where it will do; once. */
  atHand(query: Query): Snapshot | undefined {
    const { prefix, snapshot } = this.#heir ?? {};
    if (!snapshot || !isForFirst(query) || query.prefix !== prefix) return undefined;
    this.#heir = undefined;
    const { atLeast } = query;
    return atLeast !== undefined && snapshot.revision >= atLeast ? snapshot : undefined;
  }

  /** These keys were deleted at this revision: no use in asking for them. */
  forget(keys: readonly string[], revision: Revision): void {
    for (const key of keys) {
      const { born } = this.#remembered.get(directoryIn(key)) ?? nobody;
      // Another one of that name may have been seen since.
      if ((born.get(key) ?? revision) < revision) born.delete(key);
    }
  }

  async #lookAt(wire: Wire, { seenAt, born }: Elders, key?: string) {
    const keys = key === undefined ? [...born.keys()] : [key, ...born.keys()];
    const paths = new Map(keys.map((each) => [each, this.#layout.pathOf(each)]));
    const { revision, leaves } = await readLeaves(wire, [...paths.values()]);
    const found = (each: string) => {
      const node = leaves.get(paths.get(each)!);
      return node && entryFrom(each, node);
    };
    const entry = key === undefined ? undefined : found(key);
    // A server that is behind may have some who were gone by then.
    if (revision < seenAt) return { revision, entry };
    for (const [elder, created] of born) {
      const first = found(elder);
      if (first?.created === created) return { revision, entry, first: { revision, entries: [first] } };
    }
    return { revision, entry };
  }

  #directoriesOf({ prefix, sessions }: Extract<Query, { prefix: string }>): Wanted {
    const beginning = prefix.slice(directoryIn(prefix).length);
    const admits = (name: string) => nameOf(name).startsWith(beginning);
    const keys = { path: this.#layout.directoryOf(prefix), admits };
    return { directories: sessions ? [keys, { path: this.#layout.sessions }] : [keys] };
  }

  /** In the order of their keys. */
  #entriesOf(leaves: Seen["leaves"]): Entry[] {
    const entries: Entry[] = [];
    for (const [path, node] of leaves) {
      const key = this.#layout.keyAt(path);
      if (key !== undefined) entries.push(entryFrom(key, node));
    }
    return entries.sort((a, b) => compareKeys(a.key, b.key));
  }

  #sessionsOf(leaves: Seen["leaves"]): SessionInfo[] {
    const beginning = `${this.#layout.sessions}/`;
    const ours = [...leaves].filter(([path]) => path.startsWith(beginning));
    return ours.map(([path, { data }]) => sessionFrom(nameOf(path.slice(beginning.length)), data));
  }

  #remember(prefix: string, { revision, entries }: Snapshot): void {
    const oldest = [...entries].sort(byAge).slice(0, mostOfOne);
    this.#remembered.delete(prefix);
    const born = new Map(oldest.map(({ key, created }) => [key, created]));
    this.#remembered.set(prefix, { seenAt: revision, born });
    if (this.#remembered.size <= mostRemembered) return;
    const [leastRecent = ""] = this.#remembered.keys();
    this.#remembered.delete(leastRecent);
  }
}

/** Whether a query asks for no more than the oldest key. */
function isForFirst(query: Query): query is Extract<Query, { prefix: string }> {
  return "prefix" in query && query.order === "created" && query.limit === 1 && !query.sessions;
}

/** A key up to its last slash. */
function directoryIn(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** The data of a session's node. */
export function sessionData(label: string, ttlMs: number): Buffer {
  return Buffer.from(JSON.stringify({ label, ttlMs }));
}

/** ZooKeeper does not say when a session was last renewed; it has at most its whole time left. */
function sessionFrom(id: string, data: Buffer): SessionInfo {
  const { label, ttlMs } = JSON.parse(data.toString()) as { label: string; ttlMs: number };
  return { id, label, ttlMs, remainingMs: ttlMs };
}
