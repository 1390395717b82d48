import type { Change, Condition, Entry, Event, Query, Revision, Snapshot } from "../../store/change.js";
import { maxKeyBytes } from "../../store/keys.js";

/** A verb and its operands, as commit.sql describes them. */
export type Step = readonly (string | null)[];

/** A function of the schema, and what it is given. */
export interface Call {
  readonly name: "transact" | "read" | "take" | "give";
  readonly args: readonly (string | null)[];
}

type PlainEntry = readonly [
  key: string,
  value: string,
  created: string,
  modified: string,
  session: string | null,
];
type PlainSession = readonly [id: string, label: string, ttlMs: number, remainingMs: number];
/** What a query finds, as look.sql gives it. */
export type Found = readonly [readonly PlainEntry[], readonly PlainSession[] | null];
export type Answer = readonly [failedOrDueInMs: number, revision: string, found: Found | null];
/** What a client is told on its channel: each key with what is there now; null where that was too long. */
export type Told = readonly [
  revision: string,
  changed: readonly (PlainEntry | readonly [key: string])[] | null,
  shown: PlainEntry | null,
];

/** Of steps; those who have fewer operands are padded, for an array must be rectangular. */
const width = 6;
const aboveAllKeys = "\u{10ffff}".repeat(Math.floor(maxKeyBytes / 4) + 1);

/** A list of steps, as Postgres reads an array. */
export function arrayOf(steps: readonly Step[]): string {
  const rows = steps.map((step) => {
    return `{${Array.from({ length: width }, (_, i) => cellOf(step[i] ?? null)).join(",")}}`;
  });
  return `{${rows.join(",")}}`;
}

function cellOf(text: string | null): string {
  return text === null ? "NULL" : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The conditions of a change, said and unsaid, in the order in which the server counts them. */
export function conditionsOf({ when = [], then }: Change): Condition[] {
  const owners = then.flatMap((write) => (write.kind === "put" ? (write.session ?? []) : []));
  return [...when, ...[...new Set(owners)].map((session) => ({ kind: "alive", session }) as const)];
}

export function stepsOf(change: Change): Step[] {
  const { then, read, show } = change;
  return [
    ...conditionsOf(change).map(stepOf),
    ...then.map((write) => {
      if (write.kind === "delete") return ["delete", write.key];
      const { key, value, session } = write;
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
      return ["put", key, bytes.toString("base64"), session === undefined ? null : sessionName(session)];
    }),
    ...(read ? [["read", ...operandsOf(read)]] : []),
    ...(show === undefined ? [] : [["show", show, endOf(show)]]),
    ["commit"],
  ];
}

/** Makes changes, each of which takes a revision if it writes. */
export function transactionOf(list: readonly (readonly Step[])[]): Call {
  const writers = list.filter((steps) => steps.some(([verb]) => verb === "put" || verb === "delete")).length;
  return { name: "transact", args: [arrayOf(list.flat()), String(writers)] };
}

/** What does the same as these steps in fewer statements, if there is such a function. */
export function shortcutFor(steps: readonly Step[]): Call | undefined {
  const [first = [], second = [], third = [], fourth = []] = steps;
  if (steps.length === 3 && first[0] === "delete" && second[0] === "show") {
    return { name: "give", args: [...first.slice(1), ...second.slice(1)] };
  }
  const isPlace = steps.length === 5 && first[0] === "absent" && third[0] === "put" && isByAge(fourth);
  if (!isPlace || fourth[3] !== null) return undefined;
  // The conditions are about what is put, and about nothing else.
  if (first[1] !== third[1] || second[0] !== "alive" || second[1] !== third[3]) return undefined;
  return { name: "take", args: [...third.slice(1), ...fourth.slice(1, 3)] };
}

function isByAge([verb, , , , byAge, sessions]: Step): boolean {
  return verb === "read" && byAge === "true" && sessions === "false";
}

export function operandsOf(query: Query): Step {
  // No key has such a character in it.
  if ("key" in query) return [query.key, `${query.key}\u0001`];
  const { prefix, order, limit, sessions = false } = query;
  return [
    prefix,
    endOf(prefix),
    limit === undefined ? null : String(limit),
    String(order === "created"),
    String(sessions),
  ];
}

/** The first key after all that begin with the prefix. */
function endOf(prefix: string): string {
  const [, head = "", last] = /^(.*)([^\u{10ffff}])\u{10ffff}*$/su.exec(prefix) ?? [];
  if (last === undefined) return aboveAllKeys;
  // What lies between these two is no character.
  const next = last === "\ud7ff" ? 0xe000 : (last.codePointAt(0) as number) + 1;
  return head + String.fromCodePoint(next);
}

function stepOf(condition: Condition): Step {
  const { kind } = condition;
  if (kind === "alive") return [kind, sessionName(condition.session)];
  return [kind, condition.key, "revision" in condition ? String(condition.revision) : null];
}

/** An id that is none of ours may hold what Postgres cannot read. */
function sessionName(id: string): string {
  return /^[0-9a-f]{20}$/.test(id) ? id : "";
}

export function snapshotOf(revision: Revision, found: Found | null): Snapshot {
  const [plain, sessions] = found ?? [[], null];
  const entries = plain.map(entryOf);
  if (sessions === null) return { revision, entries };
  return {
    revision,
    entries,
    sessions: sessions.map(([id, label, ttlMs, remainingMs]) => ({ id, label, ttlMs, remainingMs })),
  };
}

export function entryOf([key, value, created, modified, session]: PlainEntry): Entry {
  return {
    key,
    value: new Uint8Array(Buffer.from(value, "base64")),
    created: BigInt(created),
    modified: BigInt(modified),
    session: session ?? undefined,
  };
}

export function eventOf(plain: PlainEntry | readonly [key: string], revision: Revision): Event {
  const [key] = plain;
  if (plain.length === 1) return { kind: "delete", key, revision };
  return { kind: "put", key, revision, entry: entryOf(plain) };
}
