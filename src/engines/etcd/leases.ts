import type { SessionOptions } from "../../store/store.js";
import { LockstepError } from "../../base/errors.js";
import { isLeaseNotFound } from "./call-failure.js";
import type { Cluster } from "./cluster.js";
import { leaseOf, sessionOf, type Keyspace } from "./keyspace.js";
import { protocol } from "./messages.js";
import { Transaction } from "./transaction.js";

/** A renewal that has had no answer by then is given up, in favour of one that asks another member. */
const renewalMs = 2000;

/** What etcd does for sessions: each is a lease, and a key that is bound to it and so shows that it lives. */
export class Leases {
  readonly #cluster: Cluster;
  readonly #space: Keyspace;

  constructor(cluster: Cluster, space: Keyspace) {
    this.#cluster = cluster;
    this.#space = space;
  }

  /** Gives the session's id. What is left of a failed attempt expires by itself. */
  async open({ ttlMs, label = "" }: SessionOptions): Promise<string> {
    const { LeaseGrant, Txn } = protocol;
    const TTL = BigInt(Math.ceil(ttlMs / 1000));
    const { ID: lease } = await this.#cluster.call(LeaseGrant, { TTL }, { isRepeatable: true });
    const id = sessionOf(lease);
    const value = Buffer.from(JSON.stringify({ label, ttlMs }));
    const put = { requestPut: { key: this.#space.sessionKeyOf(id), value, lease } };
    await this.#cluster.call(Txn, { compare: [], success: [put], failure: [] }, { isRepeatable: true });
    return id;
  }

  /**
   * False when the session is no more.
   *
   * A leader that was frozen or cut off may still acknowledge a renewal while the others have a new leader,
   * who lets the session expire. So a renewal counts only if a look at the session's key follows it and shows
   * the same term. The acknowledgement tells the term from before the renewal was made. The look asks a
   * majority, and shows every term that began before it. So nobody else had been elected in between.
   */
  async renew(id: string, ttlMs: number): Promise<boolean> {
    const { LeaseKeepAlive, Txn } = protocol;
    const options = { isRepeatable: true, withinMs: Math.min(renewalMs, ttlMs / 3) };
    const { header, TTL } = await this.#cluster.call(LeaseKeepAlive, { ID: leaseOf(id) }, options);
    if (TTL === 0n) return false;
    const look = new Transaction({ when: [{ kind: "alive", session: id }], then: [] }, this.#space);
    const answer = await this.#cluster.call(Txn, look.request, options);
    if (!answer.succeeded) return false;
    if (answer.header.raftTerm === header.raftTerm) return true;
    throw new LockstepError("unavailable", "etcd elected a new leader while a session was being renewed");
  }

  async end(id: string): Promise<void> {
    const { LeaseRevoke } = protocol;
    try {
      await this.#cluster.call(LeaseRevoke, { ID: leaseOf(id) }, { isRepeatable: true });
    } catch (error) {
      if (!isLeaseNotFound(error)) throw error;
    }
  }

  async remainingMs(id: string): Promise<number> {
    const { LeaseTimeToLive } = protocol;
    const { TTL } = await this.#cluster.call(LeaseTimeToLive, { ID: leaseOf(id) }, { isRepeatable: true });
    // -1 for one that has just expired.
    return Math.max(0, Number(TTL)) * 1000;
  }
}
