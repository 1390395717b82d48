import type { Change, Condition, Entry, Revision, Write } from "../../store/change.js";
import type { View } from "../../store/rules.js";
import { anyVersion, type NodeWrite } from "./client/protocol.js";
import type { Layout } from "./layout.js";
import {
  entryFrom,
  isSessionName,
  nodeData,
  rememberedBirth,
  sessionName,
  type FoundData,
} from "./node-data.js";
import type { Seen, Wanted } from "./tree-reader.js";

const nothing = new Uint8Array();

/**
 * What to ask of ZooKeeper for a change that needs no look before: it only makes keys that must be absent,
 * and deletes some that are likely to be there. Undefined for any other. It fails where the guess is wrong.
 */
export function planBlindly({ when = [], then }: Change, layout: Layout): NodeWrite[] | undefined {
  const mustBeAbsent = new Set<string>();
  const checks: NodeWrite[] = [];
  for (const condition of when) {
    if (condition.kind === "absent") mustBeAbsent.add(condition.key);
    else if (condition.kind === "alive" && isSessionName(condition.session)) {
      checks.push({ kind: "check", path: layout.sessionAt(condition.session), version: anyVersion });
    } else return undefined;
  }
  const births = new Set<string>();
  const writes: NodeWrite[] = [];
  for (const write of then) {
    const path = layout.pathOf(write.key);
    if (write.kind === "delete") writes.push({ kind: "delete", path });
    else if (mustBeAbsent.delete(write.key)) {
      births.add(layout.shardOf(write.key));
      writes.push(creation(path, write, undefined));
    } else return undefined;
  }
  if (mustBeAbsent.size > 0) return undefined;
  return [...checks, ...[...births].map((path) => raise(path, anyVersion)), ...writes];
}

/** What must be known to judge a change, and to make it. */
export function neededFor({ when = [], then }: Change, layout: Layout): Wanted {
  const keys = new Set<string>(then.map(({ key }) => key));
  const leaves = new Set<string>();
  for (const condition of when) {
    if (condition.kind !== "alive") keys.add(condition.key);
    else if (isSessionName(condition.session)) leaves.add(layout.sessionAt(condition.session));
  }
  for (const write of then) {
    if (write.kind === "put" && write.session !== undefined && isSessionName(write.session)) {
      leaves.add(layout.sessionAt(write.session));
    }
  }
  for (const key of keys) leaves.add(layout.shardOf(key)).add(layout.pathOf(key));
  // Something is to be asked for, or one would not know as of when there was nothing.
  return { leaves: leaves.size > 0 ? [...leaves] : [layout.root] };
}

/** What was seen of all that a change depends on. */
export class Sight implements View {
  readonly #seen: Seen;
  readonly #layout: Layout;

  constructor(seen: Seen, layout: Layout) {
    this.#seen = seen;
    this.#layout = layout;
  }

  get revision(): Revision {
    return this.#seen.revision;
  }

  get(key: string): Entry | undefined {
    const node = this.node(key);
    return node && entryFrom(key, node);
  }

  isAlive(session: string): boolean {
    return isSessionName(session) && this.#seen.leaves.has(this.#layout.sessionAt(session));
  }

  node(key: string): FoundData | undefined {
    return this.#seen.leaves.get(this.#layout.pathOf(key));
  }

  /** How often the counter at this path was raised. */
  births(shard: string): number {
    return this.#seen.leaves.get(shard)?.stat.version ?? 0;
  }
}

/**
 * What to ask of ZooKeeper for a change whose conditions hold by what was seen: the same conditions again, as
 * checks that fail if anything of it is no longer so.
 */
export function planBySight(change: Change, sight: Sight, layout: Layout): NodeWrite[] {
  const plan = new Plan(sight, layout);
  for (const condition of change.when ?? []) plan.hold(condition);
  for (const write of change.then) plan.write(write);
  return plan.finish();
}

class Plan {
  readonly #sight: Sight;
  readonly #layout: Layout;
  readonly #checks: NodeWrite[] = [];
  readonly #writes: NodeWrite[] = [];
  /** Counters that must not have risen, and counters to raise. */
  readonly #still = new Set<string>();
  readonly #raised = new Set<string>();

  constructor(sight: Sight, layout: Layout) {
    this.#sight = sight;
    this.#layout = layout;
  }

  hold(condition: Condition): void {
    if (condition.kind === "alive") {
      this.#check(this.#layout.sessionAt(condition.session), anyVersion);
      return;
    }
    const { key, kind } = condition;
    this.#still.add(this.#layout.shardOf(key));
    if (kind === "absent") return;
    // The same node still, for the counter stands still; and as for its value, the same as often.
    const version = kind === "modified" ? this.#sight.node(key)!.stat.version : anyVersion;
    this.#check(this.#layout.pathOf(key), version);
  }

  write(write: Write): void {
    const path = this.#layout.pathOf(write.key);
    const shard = this.#layout.shardOf(write.key);
    const node = this.#sight.node(write.key);
    if (!node) {
      if (write.kind === "delete") this.#still.add(shard);
      else this.#create(path, shard, write, undefined);
      return;
    }
    if (write.kind === "delete") {
      this.#writes.push({ kind: "delete", path });
      return;
    }
    // All that follows depends on whose node it is, and on what it remembers.
    this.#still.add(shard);
    const owner = node.stat.owner === 0n ? undefined : sessionName(node.stat.owner);
    if (owner === write.session) {
      const data = nodeData(write.value, rememberedBirth(node.data));
      this.#writes.push({ kind: "set", path, data, version: anyVersion });
    } else {
      this.#writes.push({ kind: "delete", path });
      this.#create(path, shard, write, rememberedBirth(node.data) ?? node.stat.created);
    }
  }

  /** The checks come first, so that they see nothing of the writes. */
  finish(): NodeWrite[] {
    const counters = [...new Set([...this.#still, ...this.#raised])].map((path): NodeWrite => {
      const version = this.#still.has(path) ? this.#sight.births(path) : anyVersion;
      return this.#raised.has(path) ? raise(path, version) : { kind: "check", path, version };
    });
    return [...this.#checks, ...counters, ...this.#writes];
  }

  #create(path: string, shard: string, put: Write & { kind: "put" }, created: Revision | undefined): void {
    this.#raised.add(shard);
    this.#writes.push(creation(path, put, created));
  }

  #check(path: string, version: number): void {
    this.#checks.push({ kind: "check", path, version });
  }
}

function creation(path: string, put: Write & { kind: "put" }, created: Revision | undefined): NodeWrite {
  const mode = put.session === undefined ? "persistent" : "ephemeral";
  return { kind: "create", path, data: nodeData(put.value, created), mode };
}

function raise(path: string, version: number): NodeWrite {
  return { kind: "set", path, data: nothing, version };
}
