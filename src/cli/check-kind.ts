import type { History, Operation } from "../check/history.js";

/** A kind of object, and how a history of one is told from others. */
interface Kind {
  readonly name: string;
  /** All that such an object does; a history of it holds nothing else. */
  readonly operations: readonly string[];
  /** What one operation, at least, must be like. */
  readonly shows?: (operation: Operation) => boolean;
}

/** The first that fits is taken. */
const kinds: readonly Kind[] = [
  { name: "list-append", operations: ["txn"], shows: appends },
  { name: "rw-register", operations: ["txn"] },
  { name: "multi-register", operations: ["read", "write"], shows: readsSeveral },
  {
    name: "bank",
    operations: ["read", "transfer"],
    shows: (each) => each.name === "transfer" || readsMap(each),
  },
  { name: "cas-register", operations: ["read", "write", "cas"], shows: ({ name }) => name === "cas" },
  { name: "register", operations: ["read", "write"] },
  { name: "set", operations: ["add", "remove", "contains", "read"], shows: asksElements },
  { name: "counter", operations: ["add", "increment", "decrement", "read"] },
  { name: "list", operations: ["append", "read"] },
  { name: "kv", operations: ["get", "put", "append", "delete"] },
  { name: "queue", operations: ["enqueue", "dequeue"] },
  { name: "stack", operations: ["push", "pop"] },
  { name: "fenced-mutex", operations: ["acquire", "release"], shows: answersToken },
  { name: "mutex", operations: ["acquire", "release"] },
];

/** What the history is one of, by what was done; undefined if nothing fits. */
export function kindOf({ operations }: History): string | undefined {
  const names = [...new Set(operations.map(({ name }) => name))];
  const fitting = kinds.find(
    (kind) =>
      names.every((name) => kind.operations.includes(name)) && (!kind.shows || operations.some(kind.shows)),
  );
  return fitting?.name;
}

/**
 * What keys that were never written are taken to hold: the empty string, if that was read and yet never put,
 * and nobody was answered that there was nothing; else nothing.
 */
export function unwrittenValue({ operations }: History): "" | null {
  let isRead = false;
  for (const { name, args, result, outcome } of operations) {
    if (name === "put" && args.at(-1) === "") return null;
    if (name !== "get" || outcome !== "ok") continue;
    if (result === undefined || result === null) return null;
    isRead ||= result === "";
  }
  return isRead ? "" : null;
}

function appends({ args }: Operation): boolean {
  const [steps] = args;
  return Array.isArray(steps) && steps.some((step) => Array.isArray(step) && step[0] === "append");
}

function readsMap({ result }: Operation): boolean {
  return typeof result === "object" && result !== null && !Array.isArray(result) && !(result instanceof Set);
}

function readsSeveral(operation: Operation): boolean {
  return Array.isArray(operation.args[0]) && readsMap(operation);
}

function asksElements({ name, result }: Operation): boolean {
  return name === "remove" || name === "contains" || Array.isArray(result) || result instanceof Set;
}

function answersToken({ name, result }: Operation): boolean {
  return name === "acquire" && (typeof result === "number" || typeof result === "bigint");
}
