import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import type { History } from "../check/history.js";
import type { Model } from "../check/model.js";
import { objectNamed, objectNames } from "../check/objects/named.js";
import { isWorkload, type Workload } from "../check/transactions/workload.js";
import { kindOf, unwrittenValue } from "./check-kind.js";

/** What the history is judged as. */
export interface JudgedObject {
  readonly name: string;
  readonly object: Model | Workload;
  readonly assumptions: readonly string[];
}

/** Those that may begin otherwise than with nothing. */
const takeInitial = ["register", "cas-register", "multi-register", "kv", "semaphore", "bank"];

export function judgedObject(history: History, as?: string, initial?: string): JudgedObject {
  const name = as ?? kindOf(history);
  if (name === undefined) throw unrecognised(history);
  const assumptions = as === undefined ? [`${name} by what was done; --as says otherwise`] : [];
  if (initial !== undefined && !takeInitial.includes(name)) {
    throw new LockstepError(
      "bad-input",
      `--initial is for ${takeInitial.join(", ")}; not for ${shown(name)}`,
    );
  }
  if (isWorkload(name)) return { name, object: name, assumptions };
  let init = initial === undefined ? undefined : valueOf(initial);
  if (initial === undefined && name === "kv" && unwrittenValue(history) === "") {
    init = "";
    assumptions.push('keys begin as "", for so they were read; --initial says otherwise');
  }
  const object = objectNames.includes(name) ? objectNamed(name, init) : undefined;
  if (object) return { name, object, assumptions };
  throw new LockstepError("bad-input", `there is no object ${shown(name)}; there are ${all()}`);
}

/** As JSON, and else as the text itself. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unrecognised({ operations }: History): LockstepError {
  const names = [...new Set(operations.map(({ name }) => name))].slice(0, 8);
  return new LockstepError(
    "bad-input",
    `no object does ${names.join(", ")} and nothing else; say what it is with --as, one of ${all()}`,
  );
}

function all(): string {
  return [...objectNames, "list-append", "rw-register"].join(", ");
}
