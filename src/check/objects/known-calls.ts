import { LockstepError } from "../../base/errors.js";
import { describe, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";

/** By the name of an operation, the ways to call it, each by the arguments that it takes beside the key. */
export type CallWays = Readonly<Record<string, readonly (readonly string[])[]>>;

/**
 * The operations that an object knows. Each may have, as one argument more than it takes and before all
 * others, the key of the one it is about, where there are many such objects: `write(1)` or `write("x", 1)`.
 */
export class KnownCalls {
  readonly #object: string;
  readonly #ways: ReadonlyMap<string, readonly (readonly string[])[]>;
  readonly #takesKey: boolean;

  constructor(object: string, ways: CallWays, { takesKey = true } = {}) {
    this.#object = object;
    this.#takesKey = takesKey;
    this.#ways = new Map(Object.entries(ways));
  }

  /** Which argument is the first one after the key: 1, or 0 if there is no key. */
  first(operation: Operation): 0 | 1 {
    const ways = this.#ways.get(operation.name);
    const given = operation.args.length;
    if (ways !== undefined) {
      for (let way = 0; way < ways.length; way++) if (ways[way]!.length === given) return 0;
      if (this.#takesKey && ways.some(({ length }) => length === given - 1)) return 1;
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
    const key = this.#takesKey ? ["key?"] : [];
    const known = [...this.#ways].flatMap(([name, ways]) =>
      ways.map((way) => `${name}(${[...key, ...way].join(", ")})`),
    );
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
