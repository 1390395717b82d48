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

interface Node extends Partial<FoundData> {
  readonly children?: readonly string[];
  /** It changed after the instant of which we speak. */
  readonly isLate: boolean;
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
  readonly #nodes = new Map<string, Node>();
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
      paths = listed.filter((path) => !this.#nodes.has(path));
      if (paths.length === 0) return this.#asOfThen(listed);
      for (const path of paths) known.add(path);
    }
  }

  async #fetch(paths: readonly string[]): Promise<void> {
    const reads = paths.flatMap((path): NodeRead[] => {
      const data = { kind: "data", path } as const;
      return isLeaf(path.slice(path.lastIndexOf("/") + 1)) ? [data] : [data, { kind: "children", path }];
    });
    const { zxid, body } = await this.#wire.request("read", operation.multiRead, multiReadRequest(reads));
    const since = (this.#revision ??= zxid);
    const found = multiReadFound(body);
    for (let i = 0; i < reads.length; i++) {
      const node = found[i];
      if (node?.kind === "data") {
        const { modified, childrenChanged } = node.stat;
        this.#nodes.set(reads[i]!.path, { ...node, isLate: modified > since || childrenChanged > since });
      } else if (node?.kind === "children") {
        this.#nodes.set(reads[i]!.path, { ...this.#nodes.get(reads[i]!.path)!, children: node.names });
      } else {
        // What is gone now may have been there then.
        this.#nodes.set(reads[i]!.path, { isLate: zxid > since });
      }
    }
  }

  /** All nodes that are wanted, as far as the directories tell. */
  #listed(): string[] {
    const listed = [...(this.#wanted.leaves ?? [])];
    const visit = (directory: string, admits: (name: string) => boolean) => {
      listed.push(directory);
      for (const name of this.#nodes.get(directory)?.children ?? []) {
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
      const { isLate, data, stat, children } = this.#nodes.get(path)!;
      if (isLate) return undefined;
      if (data && stat && !children) leaves.set(path, { kind: "data", data, stat });
    }
    return { revision: this.#revision!, leaves };
  }
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
