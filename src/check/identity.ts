import { LockstepError } from "../base/errors.js";

/** What tells one value from another, and can be a key of a Map. */
export type Identity = string | number | bigint | boolean | null | symbol;

/**
 * The same for values that are the same to a reader: `undefined` is `null`, as both say that there is
 * nothing, and two objects are the same if their contents are, in whatever order their keys stand. Refuses
 * what does not show its contents, for any two of its kind would be the same.
 */
export function identity(value: unknown): Identity {
  // What is no primitive begins with a NUL, so a string that does stands in quotes after another one.
  if (typeof value === "string") return value.charCodeAt(0) === 0 ? `\u0000${JSON.stringify(value)}` : value;
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return value;
  if (typeof value === "symbol") return value;
  return `\u0000${canonical(value, 0)}`;
}

export function isSame(a: unknown, b: unknown): boolean {
  return a === b || Object.is(identity(a), identity(b));
}

/** Deep enough for a list of cells, and not so deep that the stack overflows. */
const deepest = 1_000;

function canonical(value: unknown, depth: number): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "object") throw untellable(`a ${typeof value}`);
  if (depth === deepest) throw untellable("a circle, or what nests too deep,");
  return contentsOf(value, depth + 1);
}

function contentsOf(value: object, depth: number): string {
  if (Array.isArray(value)) return `[${row(value, depth)}]`;
  if (value instanceof Set) {
    const elements = Array.from(value, (each) => canonical(each, depth));
    return `#{${elements.sort().join()}}`;
  }
  if (value instanceof Map) return `{${fieldsOf([...value], depth)}}`;
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) {
    return `${Object.prototype.toString.call(value)}${row([...(value as Uint8Array)], depth)}`;
  }
  // A Date has one, too.
  if (hasToJson(value)) return `@${canonical(value.toJSON(), depth)}`;
  const fields = Object.entries(value);
  const isHidden = value instanceof Error || (fields.length === 0 && !isPlain(value));
  if (isHidden) throw untellable(`what is in ${ofItsClass(value)}`);
  // As in JSON, a field that is undefined is none.
  const told = fields.filter(([, field]) => field !== undefined);
  return `{${fieldsOf(told, depth)}}`;
}

function row(values: readonly unknown[], depth: number): string {
  let text = "";
  // Where there is a hole, nothing is.
  for (let place = 0; place < values.length; place++) {
    if (place > 0) text += ",";
    text += canonical(values[place], depth);
  }
  return text;
}

function fieldsOf(entries: readonly (readonly [unknown, unknown])[], depth: number): string {
  return entries
    .map(([key, field]) => `${canonical(key, depth)}:${canonical(field, depth)}`)
    .sort()
    .join();
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}

/** Whether no class made it, in whatever realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function ofItsClass(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" ? `an object of ${constructor.name}` : "an object";
}

function untellable(what: string): LockstepError {
  return new LockstepError(
    "bad-input",
    `${what} cannot be told from another: record what it stands for instead, such as numbers, strings and ` +
      "arrays, or give its class a toJSON(), or your own model an equal(a, b)",
  );
}
