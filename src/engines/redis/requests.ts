import { isUtf8 } from "node:buffer";
import type { Change, Query } from "../../store/change.js";

/** What a script is called with. */
export type Argument = string | number | Buffer;

/** A query as the scripts take it: kind, name, limit. */
export function queryArguments(query: Query | undefined): Argument[] {
  if (query === undefined) return ["", "", ""];
  if ("key" in query) return ["key", query.key, ""];
  const { prefix, order, limit = "", sessions } = query;
  // Which are the oldest is seen when they are all here.
  return [sessions ? "sessions" : "prefix", prefix, order === "created" ? "" : limit];
}

export function changeArguments({ when = [], then, read }: Change): Argument[] {
  const all = queryArguments(read);
  all.push(when.length, then.length);
  for (const condition of when) {
    if (condition.kind === "alive") all.push("alive", `\u0003${condition.session}`, "");
    else if (condition.kind === "absent") all.push("absent", condition.key, "");
    else all.push(condition.kind, condition.key, String(condition.revision));
  }
  for (const write of then) {
    if (write.kind === "put") all.push("put", write.key, write.session ?? "", valueOf(write.value));
    else all.push("delete", write.key, "", "");
  }
  return all;
}

/** A short text goes as such: ioredis puts a request of nothing but strings together at half the cost. */
const longestText = 1024;

function valueOf(value: Uint8Array): Buffer | string {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value.byteLength <= longestText && isUtf8(bytes) ? bytes.toString() : bytes;
}
