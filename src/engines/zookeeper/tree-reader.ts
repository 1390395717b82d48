import { LockstepError } from "../../base/errors.js";
import type { Revision } from "../../store/change.js";
import { multiReadFound, multiReadRequest, operation, type NodeRead } from "./client/protocol.js";
import type { Wire } from "./client/wire.js";
import { isLeaf } from "./layout.js";
import type { FoundData } from "./node-data.js";

/** Half of what a server takes in one request. */
const longestRequest = 500_000;
/** Each is spoilt only by a change under the very directory, in the instant between two answers. */
const mostAttempts = 1000;

/** What to read, one thing at least: single nodes, and directories with all that is in them. */
export interface Wanted {
  readonly leaves?: readonly string[];
  readonly directories?: readonly {
    readonly path: string;
    /** Whether a child of this name is wanted; its own children are, then. */
    readonly admits?: (name: string) => boolean;
  }[];
}

/** All as it stood at one instant. */
export interface Seen {
  readonly revision: Revision;
  /** By path. What is not in it was not there. */
  readonly leaves: ReadonlyMap<string, FoundData>;
}

/** Reads these nodes, which are no directories, with one request; it sees one instant. */
export async function readLeaves(wire: Wire, paths: readonly string[]): Promise<Seen> {
  const { zxid, found } = await ask(
    wire,
    paths.map((path) => ({ kind: "data", path })),
  );
  const leaves = new Map<string, FoundData>();
  found.forEach((node, i) => {
    if (node?.kind === "data") leaves.set(paths[i]!, node);
  });
  return { revision: zxid, leaves };
}

/**
 * Reads as of one instant what one request cannot name, since it does not know what is there. A multiRead
 * sees one instant, for no server applies a transaction beside a read. The first one tells the instant. What
 * it lists is read after it, and counts as of that instant if nothing happened to it since: a node says which
 * transaction changed it last. If something did, all that is known by then is read again, in the one first
 * request.
 */
export async function readTree(wire: Wire, wanted: Wanted, guesses: Iterable<string> = []): Promise<Seen> {
  const { leaves = [], directories = [] } = wanted;
  const known = new Set([...leaves, ...directories.map(({ path }) => path), ...guesses]);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const seen = await new Attempt(wire, wanted).read(known);
    if (seen) return seen;
  }
  throw new LockstepError(
    "unavailable",
    `zookeeper: what is read there changed ${mostAttempts} times while it was read; ask for a longer prefix`,
  );
}

class Attempt {
  readonly #wire: Wire;
  readonly #wanted: Wanted;
  readonly #leaves = new Map<string, FoundData>();
  readonly #children = new Map<string, readonly string[]>();
  readonly #asked = new Set<string>();
  /** What changed after the instant of which we speak. */
  readonly #late = new Set<string>();
  #revision: Revision | undefined;

  constructor(wire: Wire, wanted: Wanted) {
    this.#wire = wire;
    this.#wanted = wanted;
  }

  /** Undefined where something changed; what there is to know is in `known` then. */
  async read(known: Set<string>): Promise<Seen | undefined> {
    let paths = [...known];
    for (;;) {
      for (const chunk of inChunks(paths)) await this.#fetch(chunk);
      const listed = this.#listed();
      paths = listed.filter((path) => !this.#asked.has(path));
      if (paths.length === 0) return this.#asOfThen(listed);
      for (const path of paths) known.add(path);
    }
  }

  async #fetch(paths: readonly string[]): Promise<void> {
    const reads = paths.flatMap((path): NodeRead[] => {
      const data = { kind: "data", path } as const;
      if (isLeaf(path.slice(path.lastIndexOf("/") + 1))) return [data];
      // When a directory changed last matters only after the first instant.
      const children = { kind: "children", path } as const;
      return this.#revision === undefined ? [children] : [data, children];
    });
    const { zxid, found } = await ask(this.#wire, reads);
    const since = (this.#revision ??= zxid);
    reads.forEach(({ path }, i) => {
      const node = found[i];
      this.#asked.add(path);
      if (node?.kind === "children") {
        this.#children.set(path, node.names);
      } else if (node) {
        this.#leaves.set(path, node);
        if (node.stat.modified > since || node.stat.childrenChanged > since) this.#late.add(path);
      } else if (zxid > since) {
        // What is gone now may have been there then.
        this.#late.add(path);
      }
    });
  }

  /** All nodes that are wanted, as far as the directories tell. */
  #listed(): string[] {
    const listed = [...(this.#wanted.leaves ?? [])];
    const visit = (directory: string, admits: (name: string) => boolean) => {
      listed.push(directory);
      for (const name of this.#children.get(directory) ?? []) {
        if (!admits(name)) continue;
        if (isLeaf(name)) listed.push(`${directory}/${name}`);
        else visit(`${directory}/${name}`, () => true);
      }
    };
    for (const { path, admits = () => true } of this.#wanted.directories ?? []) visit(path, admits);
    return listed;
  }

  #asOfThen(listed: readonly string[]): Seen | undefined {
    const leaves = new Map<string, FoundData>();
    for (const path of listed) {
      if (this.#late.has(path)) return undefined;
      const node = this.#leaves.get(path);
      if (node && !this.#children.has(path)) leaves.set(path, node);
    }
    return { revision: this.#revision!, leaves };
  }
}

async function ask(wire: Wire, reads: readonly NodeRead[]) {
  const { zxid, body } = await wire.request("read", operation.multiRead, multiReadRequest(reads));
  return { zxid, found: multiReadFound(body) };
}

function* inChunks(paths: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let length = 0;
  for (const path of paths) {
    // A directory is named twice, and each name has some bytes around it.
    const cost = 2 * (Buffer.byteLength(path) + 24);
    if (length + cost > longestRequest && chunk.length > 0) {
      yield chunk;
      chunk = [];
      length = 0;
    }
    chunk.push(path);
    length += cost;
  }
  yield chunk;
}
