import { LockstepError } from "../../base/errors.js";
import { describe, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";

/** By the name of an operation, how many arguments it takes beside the key; all numbers that will do. */
export type ArgumentCounts = Readonly<Record<string, number | readonly number[]>>;

/**
 * The operations that an object knows. Each may have, as one argument more than it takes and before all
 * others, the key of the one it is about, where there are many such objects: `write(1)` or `write("x", 1)`.
 */
export class KnownCalls {
  readonly #object: string;
  readonly #counts = new Map<string, readonly number[]>();
  readonly #takesKey: boolean;

  constructor(object: string, counts: ArgumentCounts, { takesKey = true } = {}) {
    this.#object = object;
    this.#takesKey = takesKey;
    for (const [name, count] of Object.entries(counts)) {
      this.#counts.set(name, typeof count === "number" ? [count] : count);
    }
  }

  /** Which argument is the first one after the key: 1, or 0 if there is no key. */
  first(operation: Operation): 0 | 1 {
    const counts = this.#counts.get(operation.name);
    const given = operation.args.length;
    if (counts !== undefined) {
      if (counts.includes(given)) return 0;
      if (this.#takesKey && counts.includes(given - 1)) return 1;
    }
    throw this.#stranger(operation);
  }

  /** The key, or null if there is none. */
  key(operation: Operation): unknown {
    return this.first(operation) === 1 ? operation.args[0] : null;
  }

  /** The same for calls of one name with the same arguments after the key and, if given, the same answer. */
  identity(operation: Operation, answer?: unknown): Identity {
    const { name, args } = operation;
    let text = name;
    for (let index = this.first(operation); index < args.length; index++) text += part(args[index]);
    return answer === undefined ? text : `${text}→${part(answer)}`;
  }

  #stranger(operation: Operation): LockstepError {
    const known = [...this.#counts].map(([name, counts]) => {
      const most = Math.max(...counts);
      const least = Math.min(...counts);
      const values = Array.from({ length: most }, (_, index) => (index < least ? "value" : "value?"));
      return `${name}(${[...(this.#takesKey ? ["key?"] : []), ...values].join(", ")})`;
    });
    return new LockstepError(
      "bad-input",
      `a ${this.#object} knows ${known.join(", ")}; not ${describe(operation)}`,
    );
  }
}

/** No two values have the same, nor have any two rows of values when they are strung together. */
function part(value: unknown): string {
  const each = identity(value);
  if (typeof each === "string") return ` ${each.length}:${each}`;
  if (typeof each !== "symbol") return ` ${typeof each} ${each}`;
  throw new LockstepError("bad-input", `give ${String(each)} a name: two symbols may read the same`);
}
