import { LockstepError } from "../../base/errors.js";
import type { Change, Committed, Refused, Revision } from "../../store/change.js";
import { firstFailure } from "../../store/rules.js";
import {
  anyVersion,
  deleteRequest,
  fault,
  multiFault,
  multiRequest,
  operation,
  ServerFault,
  type Access,
  type MultiFault,
  type NodeWrite,
} from "./client/protocol.js";
import type { ServerSession } from "./client/server-session.js";
import type { Wire } from "./client/wire.js";
import { neededFor, planBlindly, planBySight, Sight } from "./change-plan.js";
import type { Layout } from "./layout.js";
import type { Snapshots } from "./snapshots.js";
import { readTree } from "./tree-reader.js";

/** Each is spoilt only by somebody else's change that was made. */
const mostAttempts = 1000;
/** What a server takes in one request, unless it is told otherwise, and some room for what goes around it. */
const longestRequest = 1_040_000;

/** What a change came to: made, or at which of its parts it failed. */
type Outcome = Committed | MultiFault;

/**
 * Makes changes. ZooKeeper does several writes as one, and checks versions with them, but it does not tell
 * what it saw. So where a change depends on what is there, that is read before, and checked by the write.
 */
export class Committer {
  readonly #layout: Layout;
  readonly #access: Access;
  readonly #snapshots: Snapshots;

  constructor(layout: Layout, access: Access, snapshots: Snapshots) {
    this.#layout = layout;
    this.#access = access;
    this.#snapshots = snapshots;
  }

  /**
   * Makes it in the name of this session of ZooKeeper, whose are the keys that it binds.
   *
   * What is made is checked by the leader. What is refused is judged by a look that is no older than the
   * call: one after a write of the same connection that went through the quorum. A write that failed did so,
   * too.
   */
  async commit(link: ServerSession, change: Change): Promise<Committed | Refused> {
    let plan = planBlindly(change, this.#layout);
    let isFresh = false;
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      if (plan === undefined) {
        const sight = await link.ask((wire) => this.look(wire, change));
        const failed = firstFailure(change, sight);
        if (failed && isFresh) {
          const { read } = change;
          const snapshot = read && (await link.ask((wire) => this.#snapshots.read(wire, read)));
          return { ok: false, failed, snapshot: snapshot ?? { revision: sight.revision, entries: [] } };
        }
        if (failed) {
          await link.ask((wire) => this.settle(wire));
          isFresh = true;
          continue;
        }
        plan = planBySight(change, sight, this.#layout);
      }
      const connecting = link.ready();
      const wire = connecting instanceof Promise ? await connecting : connecting;
      const outcome = await this.#try(wire, change, plan);
      if ("ok" in outcome) return outcome;
      isFresh = true;
      if (outcome.code === fault.noNode && plan[outcome.index]?.kind === "create") {
        await this.#makeDirectories(wire, change);
      } else if (races.includes(outcome.code)) {
        plan = undefined;
      } else {
        throw new ServerFault(outcome.code);
      }
    }
    throw new LockstepError(
      "retries-exhausted",
      `zookeeper: the change met with others ${mostAttempts} times; nothing was changed`,
    );
  }

  /** Sees all that the change depends on, at one instant. */
  async look(wire: Wire, change: Change): Promise<Sight> {
    return new Sight(await readTree(wire, neededFor(change, this.#layout)), this.#layout);
  }

  /**
   * After it, this connection reads no state that is older than the call. It is a write that changes nothing:
   * it goes through the quorum, unlike ZooKeeper's own `sync`, which a leader answers that does not know yet
   * that it is none any more.
   */
  async settle(wire: Wire): Promise<void> {
    await this.#send(wire, "read", [this.#nothing()]);
  }

  /** Makes what every namespace has. */
  async prepare(wire: Wire): Promise<void> {
    const { root, keys, sessions, births } = this.#layout;
    const shards = this.#layout.allShards();
    const { leaves } = await readTree(wire, { leaves: shards });
    if (leaves.size === shards.length) return;
    const names = root.split("/").slice(1);
    const parents = names.map((_, i) => `/${names.slice(0, i + 1).join("/")}`);
    const paths = [...parents, keys, sessions, births, ...shards];
    const data = new Uint8Array();
    await this.#make(
      wire,
      paths.map((path) => ({ kind: "create", path, data, mode: "persistent" })),
    );
  }

  async #try(wire: Wire, change: Change, plan: readonly NodeWrite[]): Promise<Outcome> {
    const { read, then } = change;
    const making = this.#send(wire, "write", plan.length > 0 ? plan : [this.#nothing()]);
    const written = then.flatMap(({ kind, key }) => (kind === "put" ? [key] : []));
    // Sent along: answers come in order, so it sees what was made.
    const seeing = read && this.#snapshots.read(wire, read, written);
    seeing?.catch(ignore);
    const { failed, revision } = await making;
    if (failed) return failed;
    this.#snapshots.forget(
      then.flatMap(({ kind, key }) => (kind === "delete" ? [key] : [])),
      revision,
    );
    try {
      return { ok: true, revision, snapshot: (await seeing) ?? { revision, entries: [] } };
    } catch (cause) {
      throw new LockstepError(
        "unknown-outcome",
        "zookeeper: the change is made, but the connection was lost before it could be read what came of it",
        { cause, applied: "maybe" },
      );
    }
  }

  async #send(
    wire: Wire,
    what: "write" | "read",
    writes: readonly NodeWrite[],
  ): Promise<{ failed: MultiFault | undefined; revision: Revision }> {
    const [only] = writes;
    if (only?.kind === "delete" && writes.length === 1) return this.#delete(wire, what, only.path);
    const request = multiRequest(writes, this.#access);
    if (request.length > longestRequest) {
      throw new LockstepError(
        "bad-input",
        `the change cannot be made: it has ${request.length} bytes, but zookeeper takes at most ` +
          `${longestRequest} in one; make several of it`,
      );
    }
    const { zxid, body } = await wire.request(what, operation.multi, request);
    return { failed: multiFault(body), revision: zxid };
  }

  /** It costs the server less than a multi of one. */
  async #delete(wire: Wire, what: "write" | "read", path: string) {
    try {
      const { zxid } = await wire.request(what, operation.delete, deleteRequest(path));
      return { failed: undefined, revision: zxid };
    } catch (error) {
      if (!(error instanceof ServerFault)) throw error;
      return { failed: { index: 0, code: error.code }, revision: 0n };
    }
  }

  /** Those on the way to the keys that the change puts. It does no harm if they are there, or stay empty. */
  async #makeDirectories(wire: Wire, { then }: Change): Promise<void> {
    const puts = then.filter(({ kind }) => kind === "put");
    const paths = new Set(puts.flatMap(({ key }) => this.#layout.directoriesOf(key)));
    await this.#make(
      wire,
      [...paths].map((path) => ({ kind: "create", path, data: new Uint8Array(), mode: "container" })),
    );
  }

  /** Makes nodes that may be there already, one after the other. */
  async #make(wire: Wire, nodes: readonly (NodeWrite & { kind: "create" })[]): Promise<void> {
    const outcomes = await Promise.all(nodes.map((node) => this.#send(wire, "read", [node])));
    for (const { failed } of outcomes) {
      if (failed && !races.includes(failed.code)) throw new ServerFault(failed.code);
    }
  }

  #nothing(): NodeWrite {
    return { kind: "check", path: this.#layout.root, version: anyVersion };
  }
}

/** A part of the change fails so when something is not as it was seen, or guessed. */
const races: readonly number[] = [fault.noNode, fault.nodeExists, fault.badVersion];

function ignore(): void {
  // A read that was sent along in vain: what became of the write says it all.
}
