// How many transactions a second are judged, by what level, of histories that keep it: as a database that
// does one after the other would give them to twenty clients.
import { performance } from "node:perf_hooks";
import { SeededRandom } from "lockstep/base";
import { check, type History, type Operation, type TransactionLevel, type Workload } from "lockstep/check";
import { showProgress, type Report } from "./report.js";

const levels: TransactionLevel[] = [
  "strict-serializable",
  "serializable",
  "snapshot-isolation",
  "causal",
  "read-atomic",
  "read-committed",
  "read-uncommitted",
];
const workloads: Workload[] = ["list-append", "rw-register"];
const rounds = 5;
const wanted = 100_000;
const clients = 20;
const keysAtATime = 10;
const writesOfKey = 64;

export async function checkTransactions(): Promise<Report> {
  const figures: Record<string, number> = {};
  for (const workload of workloads) {
    const history = serialHistory(wanted, workload);
    for (const level of levels) {
      showProgress(`${workload}, ${level}`);
      figures[`${workload} ${level}`] = Math.round(perSecond(history, level, workload));
    }
  }
  showProgress("a million transactions");
  figures["list-append, a million, serializable"] = Math.round(
    perSecond(serialHistory(10 * wanted, "list-append"), "serializable", "list-append", 1),
  );
  const measured = figures["list-append serializable"]!;
  return Promise.resolve({
    title: "Transactions judged a second",
    head: ["workload and level", "transactions/s"],
    rows: Object.entries(figures).map(([name, figure]) => [name, figure.toLocaleString("en")]),
    targets: [
      {
        what: "list-append, serializable",
        target: `≥ ${wanted.toLocaleString("en")}/s`,
        measured: `${measured.toLocaleString("en")}/s`,
        isMet: measured >= wanted,
      },
    ],
    figures,
  });
}

/** The median of the rounds. */
function perSecond(history: History, level: TransactionLevel, workload: Workload, times = rounds): number {
  const figures: number[] = [];
  for (let round = 0; round < times; round++) {
    const begin = performance.now();
    const verdict = check(history, { timeoutMs: 600_000 }).keeps(level, workload);
    if (verdict.is !== "valid") throw new Error(`${workload} should be ${level}, and is ${verdict.is}`);
    figures.push((history.operations.length / (performance.now() - begin)) * 1000);
  }
  return figures.sort((a, b) => a - b)[times >> 1]!;
}

type Micro = [action: string, key: number, value?: unknown];

/** Clients call at any time; each transaction happens as it returns. A key that was written often is left. */
function serialHistory(transactions: number, workload: Workload): History {
  const random = new SeededRandom(1);
  const isList = workload === "list-append";
  const keys = Array.from({ length: keysAtATime }, (_, key) => key);
  let nextKey = keysAtATime;
  const written: number[][] = [];
  const called = new Map<number, number>();
  const operations: Operation[] = [];
  const open = new Map<number, number>();
  const call = (): Micro[] =>
    Array.from({ length: 1 + random.below(4) }, (): Micro => {
      const at = random.below(keysAtATime);
      const key = keys[at]!;
      if (random.chance(0.5)) return ["r", key];
      const value = (called.get(key) ?? 0) + 1;
      called.set(key, value);
      if (value === writesOfKey) keys[at] = nextKey++;
      return [isList ? "append" : "w", key, value];
    });
  const done = ([action, key, value]: Micro): Micro => {
    const values = (written[key] ??= []);
    if (action === "r") return ["r", key, isList ? [...values] : (values.at(-1) ?? null)];
    values.push(value as number);
    return [action, key, value];
  };
  for (let moment = 0; operations.length < transactions || open.size > 0; moment++) {
    const client = random.below(clients);
    const place = open.get(client);
    if (place !== undefined) {
      const operation = operations[place]!;
      const result = (operation.args[0] as Micro[]).map(done);
      operations[place] = { ...operation, result, outcome: "ok", returned: moment };
      open.delete(client);
    } else if (operations.length < transactions) {
      const asked = { client, name: "txn", args: [call()], result: undefined };
      open.set(
        client,
        operations.push({ ...asked, outcome: "unknown", invoked: moment, returned: Infinity }) - 1,
      );
    }
  }
  return { operations };
}
