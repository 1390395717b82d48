// Small random histories of transactions, some of which keep every promise and some none.
import { SeededRandom } from "lockstep/base";
import type { History, Operation, Workload } from "lockstep/check";

export type Micro = [action: string, key: string, value?: unknown];

export interface RandomTransactions {
  readonly workload: Workload;
  readonly transactions: number;
  readonly clients: number;
  /** How likely it is that a transaction reads something that nobody can explain. */
  readonly chaos: number;
  /** How likely it is that its outcome is not "ok". */
  readonly trouble: number;
}

const keys = ["x", "y", "z"];

/**
 * There is an order of the transactions, which nobody tells; each reads what was there a little before its
 * own place, or, in chaos, anywhere.
 */
export function randomTransactions(seed: number, options: RandomTransactions): History {
  const random = new SeededRandom(seed);
  const { workload, transactions, chaos } = options;
  const isList = workload === "list-append";
  const calls = Array.from({ length: transactions }, (_, transaction) =>
    randomCall(random, isList ? "append" : "w", transaction),
  );
  const order = shuffled(
    random,
    calls.map((_, transaction) => transaction),
  );
  const results = calls.map((call, transaction) => {
    const own = order.indexOf(transaction);
    const lag = random.chance(chaos) ? random.below(transactions + 1) : 0;
    return call.map(([action, key, value], at): Micro => {
      if (action !== "r") return [action, key, value];
      const place = random.chance(chaos) ? random.below(transactions + 1) : Math.max(0, own - lag);
      const before = order.slice(0, place).filter((each) => each !== transaction);
      const written = [...before.flatMap((each) => calls[each]!), ...call.slice(0, at)];
      const values = written.flatMap(([act, of, what]) => (act !== "r" && of === key ? [what] : []));
      return ["r", key, isList ? values : (values.at(-1) ?? null)];
    });
  });
  return timed(random, options, calls, results);
}

function randomCall(random: SeededRandom, write: string, transaction: number): Micro[] {
  return Array.from({ length: 1 + random.below(3) }, (_, at): Micro => {
    const key = keys[random.below(keys.length)]!;
    return random.chance(0.5) ? ["r", key] : [write, key, transaction * 10 + at];
  });
}

/** Each client does one thing after another, unless it does not hear how one ended. */
function timed(
  random: SeededRandom,
  { clients, trouble }: RandomTransactions,
  calls: readonly Micro[][],
  results: readonly Micro[][],
): History {
  const operations: Operation[] = [];
  const open = new Map<number, number>();
  let begun = 0;
  for (let moment = 0; begun < calls.length || open.size > 0; moment++) {
    const client = random.below(clients);
    const running = open.get(client);
    if (running !== undefined) {
      open.delete(client);
      const outcome = random.chance(trouble) ? (random.chance(0.6) ? "unknown" : "fail") : "ok";
      operations[running] = {
        ...operations[running]!,
        outcome,
        result: outcome === "ok" ? results[running] : undefined,
        returned: outcome === "unknown" ? Infinity : moment,
      };
    } else if (begun < calls.length) {
      open.set(client, begun);
      const call = { client, name: "txn", args: [calls[begun]], result: undefined };
      operations[begun++] = { ...call, outcome: "unknown", invoked: moment, returned: Infinity };
    }
  }
  return { operations };
}

function shuffled<T>(random: SeededRandom, items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}
