import { LockstepError } from "./errors.js";
import { shown } from "./shown.js";

/**
 * Throws 'bad-input' for an option that does not exist: a `timeout` that was meant to be `timeoutMs` must not
 * be a wait without end.
 */
export function checkOptions(options: unknown, known: readonly string[]): asserts options is object {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new LockstepError("bad-input", `options must be an object, not ${shown(options)}`);
  }
  if (options instanceof AbortSignal) {
    throw new LockstepError("bad-input", "a signal goes in by its name, as in { signal }");
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new LockstepError(
      "bad-input",
      `there is no option ${JSON.stringify(name)} here; there are ${known.join(", ")}`,
    );
  }
}
