import { clientText, type History, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import { operationText } from "../operation-text.js";
import type { Anomaly } from "../verdict.js";

/**
 * What the timeline is drawn from, in columns, for it travels in the page: the i-th of each column is about
 * the i-th operation, and operations stand in the order of their calls.
 */
export interface Drawing {
  readonly clients: readonly string[];
  /** What operations are about: the first argument, or a transaction's keys. Empty if that tells nothing. */
  readonly keys: readonly string[];
  readonly client: readonly number[];
  readonly invoked: readonly number[];
  /** -1 for never. */
  readonly returned: readonly number[];
  readonly failed: readonly number[];
  readonly label: readonly string[];
  readonly about: readonly (readonly number[])[];
  /** Milliseconds since the first; none if nobody wrote the time down. */
  readonly invokedMs: readonly number[];
  readonly returnedMs: readonly number[];
  /** Lines of the file, of the call and of the answer; none if it came from no file. */
  readonly invokedLine: readonly number[];
  readonly returnedLine: readonly number[];
  readonly anomalies: readonly DrawnAnomaly[];
}

/** Operations are told by their places in the columns. */
export interface DrawnAnomaly {
  /** The place of its key among the keys, or -1. */
  readonly key: number;
  readonly operations: readonly number[];
  readonly order: readonly number[];
  readonly stuck: readonly (readonly [operation: number, because: string])[];
  readonly edges: readonly (readonly [from: number, to: number, relation: string, because: string])[];
}

/** What a page can draw and a browser can bear. */
export const mostDrawn = 100_000;

const longestLabel = 400;

/** Operations by the one thing of theirs that no other has, the place of the call. */
export type Places = ReadonlyMap<number, number>;

/** The operations that are drawn: all, or those that take part and those next to the first anomaly. */
export function drawnOperations(
  { operations }: History,
  anomalies: readonly Anomaly[],
  most = mostDrawn,
): readonly Operation[] {
  if (operations.length <= most) return operations;
  const partakers = new Set(anomalies.flatMap(participants).map(({ invoked }) => invoked));
  const first = anomalies[0]?.operations[0]?.invoked ?? 0;
  const middle = operations.findIndex(({ invoked }) => invoked >= first);
  const begin = Math.max(0, Math.min(middle - (most >> 1), operations.length - most));
  return operations.filter(({ invoked }, i) => (i >= begin && i < begin + most) || partakers.has(invoked));
}

/** Those that the picture of the anomaly points at. */
function participants({ operations, attempt, cycle }: Anomaly): Operation[] {
  const stuck = attempt?.stuck.map(({ operation }) => operation) ?? [];
  const linked = cycle?.flatMap(({ from, to }) => [from, to]) ?? [];
  return [...operations, ...stuck, ...linked];
}

export function placesOf(operations: readonly Operation[]): Places {
  return new Map(operations.map(({ invoked }, i) => [invoked, i]));
}

export function drawingOf(
  history: History,
  operations: readonly Operation[],
  anomalies: readonly Anomaly[],
): Drawing {
  // As people count: 2 before 10.
  const { compare } = new Intl.Collator("en", { numeric: true });
  const clients = new Register();
  const names = [...new Set(operations.map(({ client }) => client))];
  for (const client of names.sort((a, b) => compare(String(a), String(b)))) clients.place(client);
  const keys = new Register();
  const columns = operations.map((operation) => ({
    client: clients.place(operation.client),
    about: keysOf(operation).map((key) => keys.place(key)),
  }));
  // A filter that lets all or next to none through is none.
  const isKeyed = columns.every(({ about }) => about.length > 0) && keys.size > 1;
  const hasFilter = isKeyed && keys.size <= operations.length / 2;
  const places = placesOf(operations);
  return {
    clients: names.map(clientText),
    keys: hasFilter ? keys.names : [],
    client: columns.map(({ client }) => client),
    about: hasFilter ? columns.map(({ about }) => about) : [],
    invoked: operations.map(({ invoked }) => invoked),
    returned: operations.map(({ returned }) => (returned === Infinity ? -1 : returned)),
    failed: operations.flatMap(({ outcome }, i) => (outcome === "fail" ? [i] : [])),
    label: operations.map(labelOf),
    ...columnsOfPlaces(history, operations),
    anomalies: anomalies.map((anomaly) => drawnAnomaly(anomaly, places, hasFilter ? keys : undefined)),
  };
}

/** Not longer than anyone would read. */
export function labelOf(operation: Operation): string {
  const text = operationText(operation);
  return text.length <= longestLabel ? text : `${text.slice(0, longestLabel)}…`;
}

function columnsOfPlaces({ times, lines }: History, operations: readonly Operation[]) {
  const since = times?.[operations[0]?.invoked ?? 0] ?? 0;
  // Microseconds are all that a picture can show.
  const ms = (place: number) => Math.round(((times?.[place] ?? since) - since) * 1e3) / 1e3;
  const line = (place: number) => lines?.[place] ?? 0;
  return {
    invokedMs: times ? operations.map(({ invoked }) => ms(invoked)) : [],
    returnedMs: times ? operations.map(({ returned }) => (returned === Infinity ? -1 : ms(returned))) : [],
    invokedLine: lines ? operations.map(({ invoked }) => line(invoked)) : [],
    returnedLine: lines ? operations.map(({ returned }) => (returned === Infinity ? 0 : line(returned))) : [],
  };
}

function drawnAnomaly(anomaly: Anomaly, places: Places, keys: Register | undefined): DrawnAnomaly {
  const { key, operations, attempt, cycle = [] } = anomaly;
  const place = (operation: Operation) => places.get(operation.invoked) ?? -1;
  const isDrawn = (operation: Operation) => places.has(operation.invoked);
  return {
    key: key === undefined ? -1 : (keys?.find(key) ?? -1),
    operations: operations.filter(isDrawn).map(place),
    order: attempt?.order.filter(isDrawn).map(place) ?? [],
    stuck:
      attempt?.stuck
        .filter(({ operation }) => isDrawn(operation))
        .map(({ operation, because }) => [place(operation), because] as const) ?? [],
    edges: cycle
      .filter(({ from, to }) => isDrawn(from) && isDrawn(to))
      .map(({ from, to, relation, because }) => [place(from), place(to), relation, because] as const),
  };
}

/** The first argument if it is a plain one; the keys if it is a list of reads and writes: `["r", "x", 1]`. */
function keysOf({ args: [first] }: Operation): unknown[] {
  if (typeof first === "string" || typeof first === "number") return [first];
  if (!Array.isArray(first)) return [];
  const parts: unknown[] = first;
  return [...new Set(parts.flatMap((part) => (Array.isArray(part) ? [part[1] as unknown] : [])))];
}

/** Gives each value a number, in the order in which they come. */
class Register {
  readonly names: string[] = [];
  readonly #places = new Map<Identity, number>();

  get size(): number {
    return this.names.length;
  }

  place(value: unknown): number {
    const known = this.find(value);
    if (known !== undefined) return known;
    this.#places.set(identity(value), this.size);
    return this.names.push(typeof value === "string" ? value : String(value)) - 1;
  }

  find(value: unknown): number | undefined {
    return this.#places.get(identity(value));
  }
}
