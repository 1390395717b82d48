import { isUtf8 } from "node:buffer";
import type { Change, Query, Write } from "../../store/change.js";

/** What a script is called with. */
export type Argument = string | Buffer;

/** A change as the script takes it: see script.lua. A mere look is one without conditions and writes. */
export function changeArguments({ when = [], then, read, show }: Change): Argument[] {
  const all: Argument[] = [];
  for (const condition of when) {
    if (condition.kind === "alive") all.push("alive", condition.session);
    else if (condition.kind === "absent") all.push("absent", condition.key);
    else all.push(condition.kind, condition.key, String(condition.revision));
  }
  for (const write of deletesFirst(then)) {
    if (write.kind === "put") all.push("put", write.key, write.session ?? "", valueOf(write.value));
    else all.push("delete", write.key);
  }
  if (show !== undefined) all.push("show", show);
  addQuery(all, read);
  return all;
}

/** They make room on a server that is out of memory: there a mere put is refused, a release is not. */
export function deletesFirst(writes: readonly Write[]): readonly Write[] {
  if (writes.length < 2) return writes;
  return [...writes.filter(({ kind }) => kind === "delete"), ...writes.filter(({ kind }) => kind === "put")];
}

function addQuery(all: Argument[], query: Query | undefined): void {
  if (query === undefined) all.push("nothing");
  else if ("key" in query) all.push("key", query.key);
  else {
    const { prefix, order, limit, sessions } = query;
    // Which are the oldest is seen when they are all here.
    const most = limit === undefined || order === "created" ? "-1" : String(limit);
    all.push(sessions ? "sessions" : "prefix", prefix, most);
  }
}

/** A short text goes as such: ioredis puts a request of nothing but strings together at half the cost. */
const longestText = 1024;

function valueOf(value: Uint8Array): Argument {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value.byteLength <= longestText && isUtf8(bytes) ? bytes.toString() : bytes;
}
