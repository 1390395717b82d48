import { LockstepError, type Applied, type LockstepErrorCode } from "../../base/errors.js";
import { unsent } from "./grpc-call.js";

/** What is to be done about a failure: ask again, elsewhere; log in again; or nothing. */
type Remedy = "ask again" | "log in" | "give up";

interface Meaning {
  /** Whether what was asked may have been done. */
  readonly applied: Applied;
  readonly remedy: Remedy;
  readonly code?: LockstepErrorCode;
  readonly advice?: string;
}

/** By the words of etcd, and of ours; what is not here may mean anything. */
const meanings: readonly (readonly [RegExp, Meaning])[] = [
  [new RegExp(`^${unsent}`), { applied: "no", remedy: "ask again" }],
  // Said before the request is proposed to the cluster.
  [/etcdserver: (no leader|too many requests)/, { applied: "no", remedy: "ask again" }],
  [/invalid auth token|revision of auth store is old/, { applied: "no", remedy: "log in" }],
  [
    /user name is empty/,
    { applied: "no", remedy: "give up", advice: "it wants to know who asks: give a username and a password" },
  ],
  [
    /authentication failed/,
    { applied: "no", remedy: "give up", advice: "the username or the password is wrong" },
  ],
  [
    /permission denied/,
    {
      applied: "no",
      remedy: "give up",
      advice: "grant the user a role that may read and write all keys that begin with the namespace",
    },
  ],
  [
    // The change that fills the database up is made, and answered so all the same.
    /database space exceeded/,
    {
      applied: "maybe",
      remedy: "give up",
      code: "unavailable",
      advice:
        "its database is full: compact and defragment it, or raise --quota-backend-bytes, " +
        "and then: etcdctl alarm disarm",
    },
  ],
  [
    /request is too large|message larger than max/,
    {
      applied: "no",
      remedy: "give up",
      code: "bad-input",
      advice: "make the change smaller, or raise the server's --max-request-bytes",
    },
  ],
  [
    /too many operations/,
    { applied: "no", remedy: "give up", advice: "the server's --max-txn-ops must be 128 or more" },
  ],
  [/lease not found|authentication is not enabled/, { applied: "no", remedy: "give up" }],
  [/unknown (method|service)/, { applied: "no", remedy: "give up", advice: "is it etcd, 3.4 or later?" }],
];
const unclear: Meaning = { applied: "maybe", remedy: "ask again" };

/** One attempt that failed: what etcd, or the way there, said. */
export class CallFailure extends Error {
  readonly #where: string;
  readonly #meaning: Meaning;

  constructor(where: string, words: string) {
    super(words);
    this.#where = where;
    this.#meaning = meanings.find(([pattern]) => pattern.test(words))?.[1] ?? unclear;
  }

  get remedy(): Remedy {
    return this.#meaning.remedy;
  }

  get mayBeApplied(): boolean {
    return this.#meaning.applied === "maybe";
  }

  /** As the caller is told. What only reads, or may be done twice, is never in doubt. */
  errorFor(isRepeatable: boolean): LockstepError {
    const applied = isRepeatable ? "no" : this.#meaning.applied;
    const { code = applied === "no" ? "unavailable" : "unknown-outcome", advice } = this.#meaning;
    const words = `etcd at ${this.#where}: ${this.message}`;
    return new LockstepError(code, advice === undefined ? words : `${words}; ${advice}`, {
      cause: this,
      applied,
    });
  }
}

export function isLeaseNotFound(error: unknown): boolean {
  return error instanceof LockstepError && /requested lease not found/.test(error.message);
}
