import type { Entry, Query, SessionInfo, Snapshot } from "../../store/change.js";
import { compareKeys } from "../../store/keys.js";
import { arrange } from "../../store/rules.js";
import type { Wire } from "./client/wire.js";
import { nameOf, type Layout } from "./layout.js";
import { entryFrom } from "./node-data.js";
import { readTree, type Seen, type Wanted } from "./tree-reader.js";

/** So many directories are remembered, and so many keys of each. */
const mostRemembered = 256;
const mostGuesses = 64;

/** Answers queries from ZooKeeper's tree. */
export class Snapshots {
  readonly #layout: Layout;
  /**
   * Which nodes were there at the last look, by directory. Asked for together with the listing, they mostly
   * spare a second request. Nothing depends on it.
   */
  readonly #remembered = new Map<string, Set<string>>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /**
   * Reads on this connection. Whoever has just written there names what he wrote, for it is likely to be seen
   * again. The first request is sent at once, before anything is awaited.
   */
  async read(wire: Wire, query: Query, written: readonly string[] = []): Promise<Snapshot> {
    const wanted = this.#wanted(query);
    const directory = "key" in query ? undefined : this.#layout.directoryOf(query.prefix);
    const remembered = this.#remembered.get(directory ?? "") ?? [];
    const guesses = written.filter((path) => directory !== undefined && path.startsWith(`${directory}/`));
    const seen = await readTree(wire, wanted, [...guesses, ...remembered]);
    if (directory !== undefined) this.#remember(directory, seen.leaves.keys());
    return this.#snapshotOf(seen, query);
  }

  /** These nodes were deleted here: no use in asking for them. */
  forget(paths: readonly string[]): void {
    for (const path of paths) this.#remembered.get(path.slice(0, path.lastIndexOf("/")))?.delete(path);
  }

  #wanted(query: Query): Wanted {
    if ("key" in query) return { leaves: [this.#layout.pathOf(query.key)] };
    const { prefix, sessions } = query;
    const beginning = prefix.slice(prefix.lastIndexOf("/") + 1);
    const admits = (name: string) => nameOf(name).startsWith(beginning);
    const keys = { path: this.#layout.directoryOf(prefix), admits };
    return { directories: sessions ? [keys, { path: this.#layout.sessions }] : [keys] };
  }

  #snapshotOf({ revision, leaves }: Seen, query: Query): Snapshot {
    const found: Entry[] = [];
    const sessions: SessionInfo[] = [];
    for (const [path, node] of leaves) {
      const key = this.#layout.keyAt(path);
      if (key !== undefined) found.push(entryFrom(key, node));
      else sessions.push(sessionFrom(nameOf(path.slice(this.#layout.sessions.length + 1)), node.data));
    }
    const entries = arrange(
      found.sort((a, b) => compareKeys(a.key, b.key)),
      query,
    );
    return "sessions" in query && query.sessions ? { revision, entries, sessions } : { revision, entries };
  }

  #remember(directory: string, paths: Iterable<string>): void {
    this.#remembered.delete(directory);
    const known = new Set<string>();
    for (const path of paths) {
      if (known.size >= mostGuesses) break;
      if (path.startsWith(directory)) known.add(path);
    }
    this.#remembered.set(directory, known);
    if (this.#remembered.size <= mostRemembered) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
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
