import { LockstepError } from "../base/errors.js";

/** The argument of `--if-revision`. */
export function parseRevision(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text);
  throw new LockstepError(
    "bad-input",
    `--if-revision does not understand ${JSON.stringify(text)}; give the revision that put, list or ` +
      "get --json printed, or 0 for a key that must not be there yet",
  );
}
