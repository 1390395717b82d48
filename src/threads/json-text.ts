import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";

/** A value as JSON. Throws 'bad-input', in which `holds` begins the sentence, for what JSON cannot say. */
export function jsonText(value: unknown, holds: string): string {
  let text: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    // JSON's own: a bigint, a circle, too deep, too long. What a `toJSON` throws otherwise is the caller's.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const [reason = ""] = error.message.split("\n", 1);
    throw new LockstepError("bad-input", `${holds} what JSON can say, and not this: ${reason}`, {
      cause: error,
    });
  }
  if (typeof text === "string") return text;
  throw new LockstepError("bad-input", `${holds} what JSON can say, and not ${shown(value)}`);
}
