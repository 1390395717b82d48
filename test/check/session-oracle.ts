import type { Operation, OperationLevel } from "lockstep/check";

/** Which of the operations come before which, by their numbers. */
type Relation = boolean[][];

interface Row {
  readonly client: unknown;
  readonly key: unknown;
  readonly read?: unknown;
  readonly wrote?: unknown;
  readonly operation: Operation;
}

/**
 * Says by trying everything whether a tiny history of reads and writes keeps a promise: which write each
 * read saw, in which order what it must have seen may have come, and in which order all writes stand.
 */
export function keepsByTrial(level: OperationLevel, operations: readonly Operation[]): boolean {
  const rows = operations.filter(({ outcome }) => outcome !== "fail").flatMap(rowOf);
  // What nobody knows of happened, or did not.
  return subsetsOfUnknown(rows).some((some) => {
    return sourceChoices(some).some((sources) => judges[level](some, sources));
  });
}

type Judge = (rows: readonly Row[], sources: readonly number[]) => boolean;

const judges: Record<OperationLevel, Judge> = {
  linearizable: (rows, sources) => keepsTotalOrder(rows, sources, () => true),
  sequential: (rows, sources) => keepsTotalOrder(rows, sources, (a, b) => a.client === b.client),
  "causal+": (rows, sources) => {
    const past = closed(joined(session(rows), reads(sources)));
    if (isCyclic(past)) return false;
    const writes = rows.flatMap((row, index) => ("wrote" in row ? [index] : []));
    return permutations(writes).some(
      (order) => agrees(order, past) && rows.every((_, read) => sees(rows, sources, read, order, past)),
    );
  },
  causal: (rows, sources) => seesInSomeOrder(rows, sources, closed(joined(session(rows), reads(sources)))),
  session: (rows, sources) => {
    return judges.pram(rows, sources) && judges["writes-follow-reads"](rows, sources);
  },
  pram: (rows, sources) =>
    rows.every((row, read) => {
      const past = closed(joined(session(rows), readsOf(rows, sources, row.client)));
      return !past[read]![read]! && seesInSome(rows, sources, read, past);
    }),
  "writes-follow-reads": (rows, sources) => {
    const before = session(rows);
    const readers = (write: number) => rows.flatMap((_, read) => (sources[read] === write ? [read] : []));
    const follows = closed(
      rows.map((_, first) =>
        rows.map((row, second) => {
          return "wrote" in row && readers(first).some((read) => read === second || before[read]![second]!);
        }),
      ),
    );
    if (isCyclic(follows)) return false;
    return rows.every((row, read) => {
      if (!("read" in row)) return true;
      const seen = earlierReads(rows, read).flatMap((each) => (sources[each]! >= 0 ? [sources[each]!] : []));
      return rows.every((other, write) => {
        if (!("wrote" in other) || other.key !== row.key) return true;
        if (sources[read] === -1) return !seen.some((each) => follows[write]![each]!);
        if (!follows[sources[read]!]![write]!) return true;
        return !seen.some((each) => each === write || follows[write]![each]!);
      });
    });
  },
  "monotonic-writes": keepsGuarantee((rows, sources, read) => {
    const before = session(rows);
    return earlierReads(rows, read).flatMap((earlier) => {
      const source = sources[earlier]!;
      return source < 0 ? [] : rows.flatMap((_, each) => (before[each]![source]! ? [each] : []));
    });
  }, true),
  "monotonic-reads": keepsGuarantee((rows, sources, read) => {
    return earlierReads(rows, read).map((earlier) => sources[earlier]!);
  }),
  "read-your-writes": keepsGuarantee((rows, _sources, read) => {
    const before = session(rows);
    return rows.flatMap((_, each) => (before[each]![read]! ? [each] : []));
  }),
  eventual: (rows, sources) => {
    const keys = new Set(rows.map(({ key }) => key));
    return [...keys].every((key) => {
      const writes = rows.filter((row) => row.key === key && "wrote" in row);
      const end = Math.max(-1, ...writes.map(({ operation }) => operation.returned));
      const last = new Map<unknown, number>();
      const byReturn = rows
        .map((row, index) => ({ row, index }))
        .filter(({ row }) => row.key === key && "read" in row && row.operation.invoked > end)
        .sort((a, b) => a.row.operation.returned - b.row.operation.returned);
      for (const { row, index } of byReturn) last.set(row.client, sources[index]!);
      const seen = new Set(last.values());
      return seen.size <= 1 && !(writes.length > 0 && seen.has(-1));
    });
  },
};

/** No read sees what is older, for its client, than a write that it must have seen. */
function keepsGuarantee(
  mustSee: (rows: readonly Row[], sources: readonly number[], read: number) => number[],
  isOlderByMaker = false,
) {
  return (rows: readonly Row[], sources: readonly number[]) =>
    rows.every((row, read) => {
      if (!("read" in row)) return true;
      const source = sources[read]!;
      const seen = readsOf(rows, sources, row.client);
      const ofKey = (relation: Relation): Relation =>
        relation.map((line, one) => line.map((is, other) => is && isOfKey(rows, row.key, [one, other])));
      const older = isOlderByMaker ? session(rows) : closed(ofKey(joined(session(rows), seen)));
      return mustSee(rows, sources, read).every((write) => {
        if (write < 0 || write === source || rows[write]!.key !== row.key || !("wrote" in rows[write]!))
          return true;
        return source >= 0 && !older[source]![write]!;
      });
    });
}

function isOfKey(rows: readonly Row[], key: unknown, numbers: readonly number[]): boolean {
  return numbers.every((number) => rows[number]!.key === key);
}

function earlierReads(rows: readonly Row[], read: number): number[] {
  const before = session(rows);
  return rows.flatMap((row, each) => ("read" in row && before[each]![read]! ? [each] : []));
}

function rowOf(operation: Operation): Row[] {
  const { client, name, args, result, outcome } = operation;
  const [key, first, second] = args;
  if (name === "write") return [{ client, key, wrote: first, operation }];
  if (name === "read") return outcome === "ok" ? [{ client, key, read: result ?? null, operation }] : [];
  if (outcome === "ok") return [{ client, key, read: first ?? null, wrote: second, operation }];
  return [{ client, key, wrote: second, operation }];
}

function subsetsOfUnknown(rows: readonly Row[]): Row[][] {
  const index = rows.findIndex(({ operation }) => operation.outcome === "unknown");
  if (index < 0) return [[...rows]];
  const before = rows.slice(0, index);
  return subsetsOfUnknown(rows.slice(index + 1)).flatMap((rest) => [
    [...before, ...rest],
    [...before, rows[index]!, ...rest],
  ]);
}

/** By operation: which wrote what it read; -1 if it was there at the start, -2 if it did not read. */
function sourceChoices(rows: readonly Row[]): number[][] {
  const before = session(rows);
  let choices: number[][] = [[]];
  rows.forEach((row, read) => {
    const writers = !("read" in row)
      ? [-2]
      : [
          ...(row.read === null ? [-1] : []),
          ...rows.flatMap((other, writer) => {
            const isIt = "wrote" in other && other.key === row.key && other.wrote === row.read;
            return isIt && writer !== read && !before[read]![writer]! ? [writer] : [];
          }),
        ];
    choices = choices.flatMap((choice) => writers.map((writer) => [...choice, writer]));
  });
  return choices;
}

function session(rows: readonly Row[]): Relation {
  return rows.map((first) =>
    rows.map((second) => {
      return first.client === second.client && first.operation.returned < second.operation.invoked;
    }),
  );
}

function reads(sources: readonly number[]): Relation {
  return sources.map((_, writer) => sources.map((source) => source === writer));
}

function readsOf(rows: readonly Row[], sources: readonly number[], client: unknown): Relation {
  return reads(sources.map((source, read) => (rows[read]!.client === client ? source : -2)));
}

function joined(one: Relation, other: Relation): Relation {
  return one.map((line, first) => line.map((is, second) => is || other[first]![second]!));
}

function closed(relation: Relation): Relation {
  const result = relation.map((line) => [...line]);
  for (let middle = 0; middle < result.length; middle++) {
    for (const line of result) {
      if (line[middle]) result[middle]!.forEach((is, second) => (line[second] ||= is));
    }
  }
  return result;
}

function isCyclic(relation: Relation): boolean {
  return relation.some((line, index) => line[index]);
}

function agrees(order: readonly number[], past: Relation): boolean {
  return order.every((later, place) => order.slice(0, place).every((earlier) => !past[later]![earlier]!));
}

/** Whether the read saw the last write of its key that came before it, if they stand in this order. */
function sees(
  rows: readonly Row[],
  sources: readonly number[],
  read: number,
  order: readonly number[],
  past: Relation,
): boolean {
  if (!("read" in rows[read]!)) return true;
  const known = order.filter((write) => past[write]![read]! && rows[write]!.key === rows[read]!.key);
  return (known.at(-1) ?? -1) === sources[read];
}

function seesInSome(rows: readonly Row[], sources: readonly number[], read: number, past: Relation): boolean {
  const writes = rows.flatMap((row, index) => ("wrote" in row && past[index]![read]! ? [index] : []));
  return permutations(writes).some((order) => agrees(order, past) && sees(rows, sources, read, order, past));
}

function seesInSomeOrder(rows: readonly Row[], sources: readonly number[], past: Relation): boolean {
  return !isCyclic(past) && rows.every((_, read) => seesInSome(rows, sources, read, past));
}

function keepsTotalOrder(
  rows: readonly Row[],
  sources: readonly number[],
  counts: (first: Row, second: Row) => boolean,
): boolean {
  const isBefore = (first: Row, second: Row) =>
    counts(first, second) && first.operation.returned < second.operation.invoked;
  const place = (left: readonly number[], latest: ReadonlyMap<unknown, number>): boolean => {
    if (left.length === 0) return true;
    return left.some((next) => {
      const row = rows[next]!;
      if (left.some((other) => isBefore(rows[other]!, row))) return false;
      if ("read" in row && (latest.get(row.key) ?? -1) !== sources[next]) return false;
      const after = "wrote" in row ? new Map(latest).set(row.key, next) : latest;
      return place(
        left.filter((other) => other !== next),
        after,
      );
    });
  };
  return place(
    rows.map((_, index) => index),
    new Map(),
  );
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  );
}
