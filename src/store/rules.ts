import { checkMilliseconds } from "../base/patience.js";
import { LockstepError } from "../base/errors.js";
import type { Change, Condition, Entry, Query, Revision, Write } from "./change.js";
import type { Guarantees } from "./guarantees.js";
import { checkKey, checkName, compareKeys } from "./keys.js";
import type { SessionOptions } from "./store.js";

/** What a change is judged by: the state at one instant. */
export interface View {
  get(key: string): Entry | undefined;
  isAlive(session: string): boolean;
}

/**
 * The first condition of a change that does not hold. A put bound to a session holds the condition that the
 * session is alive, said or unsaid: a key must never be born to a dead owner, for nobody would remove it.
 */
export function firstFailure(change: Change, view: View): Condition | undefined {
  if (change.when) {
    for (const condition of change.when) if (!holds(condition, view)) return condition;
  }
  for (const write of change.then) {
    if (write.kind === "put" && write.session !== undefined && !view.isAlive(write.session)) {
      return { kind: "alive", session: write.session };
    }
  }
  return undefined;
}

function holds(condition: Condition, view: View): boolean {
  switch (condition.kind) {
    case "absent":
      return view.get(condition.key) === undefined;
    case "created":
      return view.get(condition.key)?.created === condition.revision;
    case "modified":
      return view.get(condition.key)?.modified === condition.revision;
    case "alive":
      return view.isAlive(condition.session);
  }
}

/** What a put makes of a key: a new one, or the old one with its birth kept. */
export function entryAfter(
  put: Write & { kind: "put" },
  before: Entry | undefined,
  revision: Revision,
): Entry {
  return {
    key: put.key,
    value: put.value,
    created: before?.created ?? revision,
    modified: revision,
    session: put.session,
  };
}

/** An entry whose value nobody else holds: whoever is given it may write to it. */
export function copied(entry: Entry): Entry {
  // Not by `slice`, which copies nothing where the array is a Buffer.
  return { ...entry, value: new Uint8Array(entry.value) };
}

/** The entries of a prefix, given in the order of their keys, as the query wants them. */
export function arrange(entries: Entry[], query: Query): Entry[] {
  if ("key" in query) return entries;
  if (query.order === "created" && entries.length > 1) entries.sort(byAge);
  if (query.limit !== undefined && entries.length > query.limit) entries.length = query.limit;
  return entries;
}

/** The oldest first; the keys of one commit, which are of one age, by key. */
export function byAge(a: Entry, b: Entry): number {
  return a.created < b.created ? -1 : a.created > b.created ? 1 : compareKeys(a.key, b.key);
}

/** Throws 'bad-input' for a change that no engine could make, before anything is sent anywhere. */
export function checkChange(change: Change, guarantees: Guarantees): void {
  const { when = [], then, read, show } = change;
  if (!isList(then)) throw badChange("its `then` must be a list of writes");
  if (!isList(when)) throw badChange("its `when` must be a list of conditions");
  if (when.length + then.length > guarantees.maxOperations) {
    throw badChange(
      `it has ${when.length + then.length} conditions and writes, but ${guarantees.engine} takes at most ` +
        `${guarantees.maxOperations} in one change`,
    );
  }
  for (const condition of when) checkCondition(condition);
  for (let index = 0; index < then.length; index++) {
    const write = then[index] as Write;
    checkWrite(write, guarantees);
    for (let earlier = 0; earlier < index; earlier++) {
      if (then[earlier]?.key === write.key) throw badChange(`it writes ${JSON.stringify(write.key)} twice`);
    }
  }
  if (read !== undefined) checkQuery(read);
  if (show !== undefined) checkQuery({ prefix: show });
}

/** What Array.isArray says, without taking the type of the items away. */
function isList(value: unknown): boolean {
  return Array.isArray(value);
}

function checkCondition(condition: Condition): void {
  switch (condition.kind) {
    case "alive":
      return;
    case "created":
    case "modified":
      if (typeof condition.revision !== "bigint") {
        throw badChange(`the revision of "${condition.kind}" must be a bigint`);
      }
      checkKey(condition.key);
      return;
    case "absent":
      checkKey(condition.key);
      return;
    default:
      throw badChange(`"${(condition as Condition).kind}" is no kind of condition`);
  }
}

function checkWrite(write: Write, guarantees: Guarantees): void {
  checkKey(write.key);
  if (write.kind === "delete") return;
  // A kind that nobody knows must not pass for one of the two.
  if ((write.kind as string) !== "put") throw badChange(`"${write.kind}" is no kind of write`);
  if (!(write.value instanceof Uint8Array)) {
    throw badChange(`the value of ${JSON.stringify(write.key)} must be a Uint8Array`);
  }
  if (write.value.length > guarantees.maxValueBytes) {
    throw badChange(
      `the value of ${JSON.stringify(write.key)} has ${write.value.length} bytes, but ${guarantees.engine} ` +
        `takes at most ${guarantees.maxValueBytes}`,
    );
  }
}

export function checkQuery(query: Query): void {
  if (query.atLeast !== undefined && typeof query.atLeast !== "bigint") {
    throw new LockstepError("bad-input", "atLeast must be a revision, which is a bigint");
  }
  if ("key" in query) {
    checkKey(query.key);
    return;
  }
  if (query.prefix !== "") checkKey(query.prefix);
  const { limit } = query;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new LockstepError("bad-input", `limit must be a whole number above 0, not ${limit}`);
  }
}

export function checkSessionOptions(options: SessionOptions, guarantees: Guarantees): void {
  if (options.label !== undefined && options.label !== "") checkName("the label", options.label);
  checkMilliseconds("ttlMs", options.ttlMs, guarantees.ttl.minMs, guarantees.ttl.maxMs);
}

function badChange(fault: string): LockstepError {
  return new LockstepError("bad-input", `the change cannot be made: ${fault}`);
}
