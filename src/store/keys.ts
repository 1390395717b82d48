import { LockstepError } from "../base/errors.js";

export const maxNameBytes = 512;
/** Room for a name of the longest length, escaped, and a recipe's own path around it. */
export const maxKeyBytes = 1700;

// eslint-disable-next-line no-control-regex -- control characters are the very thing to find
const controlCharacter = /[\u0000-\u001f\u007f]/;
const surrogate = /[\ud800-\udfff]/;
const halfSurrogate = /\p{Surrogate}/u;

/**
 * Throws 'bad-input' unless `name` can name a lock, an election or a key: not empty, not over-long,
 * printable.
 */
export function checkName(what: string, name: string): void {
  const wrong = fault(name, maxNameBytes);
  if (wrong === undefined) return;
  throw new LockstepError(
    "bad-input",
    `${what} ${wrong}; give a string of 1 to ${maxNameBytes} bytes without control characters`,
  );
}

/** The same for a prefix, which may be empty. */
export function checkPrefix(what: string, prefix: string): void {
  if (prefix !== "") checkName(what, prefix);
}

/** Throws 'bad-input' unless every engine can hold `key`. */
export function checkKey(key: string): void {
  const wrong = fault(key, maxKeyBytes);
  if (wrong !== undefined) throw new LockstepError("bad-input", `the key ${wrong}`);
}

function fault(text: unknown, maxBytes: number): string | undefined {
  if (typeof text !== "string") return `must be a string, not ${text === null ? "null" : typeof text}`;
  if (text === "") return "must not be empty";
  // No UTF-16 unit takes more than three bytes of UTF-8, so most names need no counting.
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
    return `is ${Buffer.byteLength(text)} bytes long`;
  }
  if (controlCharacter.test(text)) return `has a control character: ${JSON.stringify(text)}`;
  // The cheap question first: nearly every key has no surrogates at all.
  if (surrogate.test(text) && halfSurrogate.test(text))
    return `has half of a surrogate pair: ${JSON.stringify(text)}`;
  return undefined;
}

/** One segment of a path: a slash within a name must not look like a slash between names. */
export function escapeSegment(name: string): string {
  return name.replaceAll("%", "%25").replaceAll("/", "%2F");
}

export function unescapeSegment(segment: string): string {
  return segment.replaceAll("%2F", "/").replaceAll("%25", "%");
}

/** The order of keys in every engine: that of their UTF-8 bytes, which is that of their code points. */
export function compareKeys(a: string, b: string): number {
  // JavaScript compares UTF-16 units, which is the same order except for the characters beyond 16 bits.
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
