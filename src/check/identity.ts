/** What tells one value from another, and can be a key of a Map. */
export type Identity = string | number | bigint | boolean | null | symbol;

/**
 * The same for values that are the same to a reader: `undefined` is `null`, as both say that there is
 * nothing, and two objects are the same if their contents are, in whatever order their keys stand.
 */
export function identity(value: unknown): Identity {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return value;
  if (typeof value === "symbol") return value;
  // No string can be taken for it: none begins so.
  return `\u0000${canonical(value)}`;
}

export function isSame(a: unknown, b: unknown): boolean {
  return a === b || Object.is(identity(a), identity(b));
}

function canonical(value: unknown): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object") return primitive(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value instanceof Set) return `#{${[...value].map(canonical).sort().join()}}`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const texts = entries.map(([key, each]) => `${canonical(key)}:${canonical(each)}`);
  return `{${texts.sort().join()}}`;
}

function primitive(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
