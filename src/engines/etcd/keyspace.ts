import { LockstepError } from "../../base/errors.js";
import type { Entry, Query, SessionInfo } from "../../store/change.js";
import { checkName } from "../../store/keys.js";
import type { KeyRange, KeyValue } from "./messages.js";

/** Where the keys of a namespace lie in etcd, and beside them a key for each session, bound to its lease. */
export class Keyspace {
  readonly #keys: string;
  readonly #sessions: string;
  readonly #skipped: number;

  constructor(namespace: string) {
    checkName("the namespace", namespace);
    // In a namespace "a/k" the keys would lie among those of "a".
    if (namespace.split("/").some((part) => ["", "k", "s"].includes(part))) {
      throw new LockstepError(
        "bad-input",
        `no part of the namespace between slashes may be empty, "k" or "s": ${JSON.stringify(namespace)}`,
      );
    }
    this.#keys = `${namespace}/k/`;
    this.#sessions = `${namespace}/s/`;
    this.#skipped = Buffer.byteLength(this.#keys);
  }

  keyOf(key: string): Buffer {
    return Buffer.from(this.#keys + key);
  }

  sessionKeyOf(session: string): Buffer {
    return Buffer.from(this.#sessions + session);
  }

  get sessions(): KeyRange {
    return below(this.#sessions);
  }

  /** What a query looks at. */
  rangeOf(query: Query): KeyRange {
    return "key" in query ? { key: this.keyOf(query.key) } : below(this.#keys + query.prefix);
  }

  plainKeyOf(key: Buffer): string {
    return key.toString("utf8", this.#skipped);
  }

  entryOf(kv: KeyValue): Entry {
    return {
      key: this.plainKeyOf(kv.key),
      // Copied, for it is a window into the whole message.
      value: new Uint8Array(kv.value),
      created: kv.createRevision,
      modified: kv.modRevision,
      session: kv.lease === 0n ? undefined : sessionOf(kv.lease),
    };
  }

  /** What a session's key says; how long it lives on only its lease knows. */
  sessionOf({ lease, value }: KeyValue): Omit<SessionInfo, "remainingMs"> {
    const { label, ttlMs } = JSON.parse(value.toString()) as { label: string; ttlMs: number };
    return { id: sessionOf(lease), label, ttlMs };
  }
}

/** A session goes by the number of its lease, written as etcdctl writes it. */
export function sessionOf(lease: bigint): string {
  return lease.toString(16);
}

/** 0, which is no lease, for what cannot be a session. */
export function leaseOf(session: string): bigint {
  return /^[0-9a-f]{1,16}$/.test(session) ? BigInt(`0x${session}`) : 0n;
}

/** All keys that begin so, up to the first above them all. UTF-8 has no byte 255, so none overflows. */
function below(prefix: string): KeyRange {
  const key = Buffer.from(prefix);
  const rangeEnd = Buffer.from(key);
  const last = rangeEnd.length - 1;
  rangeEnd[last] = (rangeEnd[last] as number) + 1;
  return { key, rangeEnd };
}
