import { LockstepError } from "../../base/errors.js";
import { shown } from "../../base/shown.js";

/** JSON has no word for some values: they stand as `{ "$": what it is, "is": what is in it }`. */
const tag = "$";
const deepest = 200;

/** The value as JSON can hold it. */
export function toTagged(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return isExact(value) ? value : tagged("number", numberText(value));
  if (value === undefined) return { [tag]: "undefined" };
  if (typeof value === "bigint") return tagged("bigint", value.toString());
  if (typeof value !== "object") throw unwritable(shown(value));
  if (depth > deepest) throw unwritable("a circle, or what nests too deep,");
  const inside = (part: unknown) => toTagged(part, depth + 1);
  if (Array.isArray(value)) return Array.from(value, inside);
  if (value instanceof Set) return tagged("set", Array.from(value, inside));
  if (value instanceof Map)
    return tagged(
      "map",
      Array.from(value, (entry) => entry.map(inside)),
    );
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unwritable("an object of a class, such as a Date,");
  }
  const entries = Object.entries(value).map(([key, part]): [string, unknown] => [key, inside(part)]);
  return Object.hasOwn(value, tag) ? tagged("object", entries) : Object.fromEntries(entries);
}

/** The value that JSON holds; undefined if its tags make no sense, or a number is not exact. */
export function fromTagged(json: unknown): { value: unknown } | undefined {
  try {
    return { value: untagged(json) };
  } catch {
    return undefined;
  }
}

function untagged(json: unknown): unknown {
  if (typeof json === "number" && !isExact(json)) throw new RangeError("not exact");
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(untagged);
  if (!Object.hasOwn(json, tag)) return record(Object.entries(json));
  const { [tag]: kind, is, ...rest } = json as Record<string, unknown>;
  if (Object.keys(rest).length > 0) throw new RangeError("more than a tag");
  if (kind === "undefined" && is === undefined) return undefined;
  if (kind === "bigint" && typeof is === "string") return BigInt(is);
  if (kind === "number" && typeof is === "string") return Number(is);
  if (!Array.isArray(is)) throw new RangeError("no such tag");
  if (kind === "set") return new Set(is.map(untagged));
  if (kind === "map") return new Map(is.map(untagged) as [unknown, unknown][]);
  if (kind === "object") return record(is as [string, unknown][]);
  throw new RangeError("no such tag");
}

function record(entries: [string, unknown][]): object {
  return Object.fromEntries(entries.map(([key, part]) => [key, untagged(part)]));
}

/** Whether it is the same number after it was written and read as JSON by anybody. */
export function isExact(number: number): boolean {
  if (Number.isInteger(number)) return Number.isSafeInteger(number) && !Object.is(number, -0);
  return Number.isFinite(number);
}

function numberText(number: number): string {
  return Object.is(number, -0) ? "-0" : String(number);
}

function tagged(kind: string, is: unknown): object {
  return { [tag]: kind, is };
}

function unwritable(what: string): LockstepError {
  return new LockstepError(
    "bad-input",
    `${what} cannot be written into a history; record plain values, such as numbers, strings and arrays`,
  );
}
