import { isUtf8 } from "node:buffer";
import type { KeyValueEntry } from "../coordination/key-value.js";

/** An entry for JSON: its value as text where it is text, else in base64. */
export function entryJson(entry: KeyValueEntry): Record<string, unknown> {
  const { key, revision, created } = entry;
  const value = isUtf8(entry.value)
    ? { value: entry.text }
    : { valueBase64: Buffer.from(entry.value).toString("base64") };
  return { key, ...value, revision, created };
}

/** A value in one line: as it is, or as a JSON string where it would not fit into a line or is no text. */
export function valueLine(entry: KeyValueEntry): string {
  if (!isUtf8(entry.value)) return `base64:${Buffer.from(entry.value).toString("base64")}`;
  // eslint-disable-next-line no-control-regex -- what would break the line or move the cursor
  return /[\u0000-\u001f\u007f-\u009f]/.test(entry.text) ? JSON.stringify(entry.text) : entry.text;
}

/** Key, revision and value, between tabs; a key has no control characters. */
export function entryLine(entry: KeyValueEntry): string {
  return `${entry.key}\t${entry.revision.toString()}\t${valueLine(entry)}`;
}
