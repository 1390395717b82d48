import type { KeyValue, KeyValueVerdict } from "lockstep";
import { isLockstepError } from "lockstep/base";
import type { Client, Operation } from "lockstep/check";

/**
 * What a key-value store answered, as a history of registers that hold revisions: no two writes have the
 * same, so every answer says exactly which write it saw.
 */
export class RevisionsLog {
  readonly #operations: Operation[] = [];
  /** Keys that were maybe written, nobody knows by which revision: nothing can be said of them. */
  readonly #doubtful = new Set<string>();
  #moment = 0;

  /** The history so far, in the order of the calls. */
  get operations(): readonly Operation[] {
    return this.#operations
      .filter(({ args: [key] }) => !this.#doubtful.has(key as string))
      .sort((a, b) => a.invoked - b.invoked);
  }

  /** Writes down what that client does with the store from now on. */
  follow(kv: KeyValue, client: Client): void {
    const { get, put } = kv;
    const remove = kv.delete;
    kv.get = (key) => {
      const asked = this.#moment++;
      return heard(get.call(kv, key), (entry) => {
        this.#write(client, "read", [key], entry?.revision ?? null, asked);
      });
    };
    kv.put = (key, value, options) => {
      const change = put.call(kv, key, value, options);
      return this.#change(client, key, options?.ifRevision, change, (revision) => revision);
    };
    kv.delete = (key, options) => {
      return this.#change(client, key, options?.ifRevision, remove.call(kv, key, options), () => null);
    };
  }

  #change(
    client: Client,
    key: string,
    ifRevision: bigint | undefined,
    change: Promise<KeyValueVerdict>,
    left: (revision: bigint) => bigint | null,
  ): Promise<KeyValueVerdict> {
    const asked = this.#moment++;
    const write = (verdict: KeyValueVerdict) => {
      if (!verdict.ok) this.#write(client, "read", [key], verdict.current?.revision ?? null, asked);
      else if (ifRevision === undefined)
        this.#write(client, "write", [key, left(verdict.revision)], null, asked);
      else this.#write(client, "cas", [key, ifRevision || null, left(verdict.revision)], true, asked);
    };
    return heard(change, write, (error) => {
      if (isLockstepError(error) && error.applied === "maybe") this.#doubtful.add(key);
    });
  }

  #write(client: Client, name: string, args: unknown[], result: unknown, invoked: number): void {
    const returned = this.#moment++;
    this.#operations.push({ client, name, args, result, outcome: "ok", invoked, returned });
  }
}

/** The same promise, listened to by one more, before everybody else. */
function heard<T>(
  promise: Promise<T>,
  onAnswer: (answer: T) => void,
  onError: (error: unknown) => void = () => undefined,
): Promise<T> {
  promise.then(onAnswer, onError);
  return promise;
}
