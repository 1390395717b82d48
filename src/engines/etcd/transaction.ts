import type {
  Change,
  Committed,
  Condition,
  Entry,
  Query,
  Refused,
  Revision,
  Write,
} from "../../store/change.js";
import type { SessionInfo } from "../../store/change.js";
import { arrange, firstFailure } from "../../store/rules.js";
import { leaseOf, type Keyspace } from "./keyspace.js";
import type { Compare, KeyValue, RequestOp, TxnRequest, TxnResponse } from "./messages.js";

/** A snapshot whose sessions still lack what only their leases know. */
export interface Look {
  readonly revision: Revision;
  readonly entries: readonly Entry[];
  readonly sessions?: readonly Omit<SessionInfo, "remainingMs">[];
}

export type Outcome =
  | (Omit<Committed, "snapshot"> & { readonly snapshot: Look })
  | (Omit<Refused, "snapshot"> & { readonly snapshot: Look });

/** etcd's default for each of the three lists of a transaction, less what a query may add: two ranges. */
export const maxOperations = 128 - 2;

const largestNumber = 2n ** 63n - 1n;

/**
 * A change as one transaction of etcd. If it is refused, etcd does not say by which condition; so it looks at
 * all that they are about in the same instant, and the conditions are judged once more, here.
 */
export class Transaction {
  readonly request: TxnRequest;
  readonly #change: Change;
  readonly #space: Keyspace;
  /** What the conditions are about, in the order in which a refusal shows it. */
  readonly #keys: readonly string[];
  readonly #sessions: readonly string[];

  /** `serializable`: any member may answer at once, from the state that it has reached. */
  constructor(change: Change, space: Keyspace, serializable = false) {
    this.#change = change;
    this.#space = space;
    const { when = [], then, read } = change;
    this.#keys = [...new Set(when.flatMap((condition) => ("key" in condition ? [condition.key] : [])))];
    this.#sessions = [...new Set([...when.flatMap(sessionIn), ...then.flatMap(sessionIn)])];
    const seen = read ? rangesOf(read, space, serializable) : [];
    const judged = [
      ...this.#keys.map((key) => space.keyOf(key)),
      ...this.#sessions.map((session) => space.sessionKeyOf(session)),
    ];
    const success = [...then.map((write) => opOf(write, space)), ...seen];
    const failure = [...judged.map((key) => ({ requestRange: { key } })), ...seen];
    this.request = {
      compare: [
        ...when.flatMap((condition) => compareOf(condition, space)),
        ...this.#sessions.map((session) => isThere(space.sessionKeyOf(session))),
      ],
      // What asks for nothing would be answered by any member, from the state that it has reached.
      success: success.length + failure.length > 0 ? success : [{ requestRange: { key: space.keyOf("") } }],
      failure,
    };
  }

  /** Whether it may be made twice. */
  get onlyReads(): boolean {
    return this.#change.then.length === 0;
  }

  outcomeOf({ header, succeeded, responses }: TxnResponse): Outcome {
    const found = responses.flatMap(({ responseRange }) => (responseRange ? [responseRange.kvs] : []));
    const revision = header.revision;
    if (succeeded) return { ok: true, revision, snapshot: this.#look(found, revision) };
    const entries = new Map(
      this.#keys.map((key, i) => [key, found[i]?.map((kv) => this.#space.entryOf(kv))[0]]),
    );
    const judged = this.#keys.length + this.#sessions.length;
    const alive = new Set(this.#sessions.filter((_, i) => found[this.#keys.length + i]?.length === 1));
    const failed = firstFailure(this.#change, {
      get: (key) => entries.get(key),
      isAlive: (session) => alive.has(session),
    });
    if (!failed) throw new Error("etcd refused a change of which every condition holds");
    return { ok: false, failed, snapshot: this.#look(found.slice(judged), revision) };
  }

  #look(found: readonly (readonly KeyValue[])[], revision: Revision): Look {
    const { read } = this.#change;
    if (!read) return { revision, entries: [] };
    const [kvs = [], leases] = found;
    const entries = arrange(
      kvs.map((kv) => this.#space.entryOf(kv)),
      read,
    );
    if (!leases) return { revision, entries };
    return { revision, entries, sessions: leases.map((kv) => this.#space.sessionOf(kv)) };
  }
}

function rangesOf(query: Query, space: Keyspace, serializable: boolean): RequestOp[] {
  const range = { ...space.rangeOf(query), serializable };
  if ("key" in query) return [{ requestRange: range }];
  // By age only the arranged list may be cut: etcd could not tell which of the keys of one commit come first.
  const limited =
    query.limit === undefined || query.order === "created" ? {} : { limit: BigInt(query.limit) };
  const ranges = [{ requestRange: { ...range, ...limited } }];
  if (query.sessions) ranges.push({ requestRange: { ...space.sessions, serializable } });
  return ranges;
}

function opOf(write: Write, space: Keyspace): RequestOp {
  const key = space.keyOf(write.key);
  if (write.kind === "delete") return { requestDeleteRange: { key } };
  return {
    requestPut: {
      key,
      value: write.value,
      lease: write.session === undefined ? 0n : leaseOf(write.session),
    },
  };
}

function sessionIn(part: Condition | Write): string[] {
  return "session" in part && part.session !== undefined ? [part.session] : [];
}

function compareOf(condition: Condition, space: Keyspace): Compare[] {
  // Sessions are compared once each, whoever names them.
  if (condition.kind === "alive") return [];
  const key = space.keyOf(condition.key);
  if (condition.kind === "absent") return [{ key, target: "CREATE", result: "EQUAL", createRevision: 0n }];
  const { revision } = condition;
  // No key was ever made or written then: not even one that is absent, which etcd takes to be of revision 0.
  if (revision < 1n || revision > largestNumber) {
    return [{ key, target: "CREATE", result: "LESS", createRevision: 0n }];
  }
  return condition.kind === "created"
    ? [{ key, target: "CREATE", result: "EQUAL", createRevision: revision }]
    : [{ key, target: "MOD", result: "EQUAL", modRevision: revision }];
}

function isThere(key: Buffer): Compare {
  return { key, target: "CREATE", result: "GREATER", createRevision: 0n };
}
