// The bank account of every textbook, for real: several processes pay into and withdraw from the same
// accounts, first without protection, then with a lock, then with conditional writes. worker.ts has the three
// ways. `--on redis://localhost` plays it on that store, else on one of its own.
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect, type KeyValue } from "lockstep";
import { opened, parse } from "./account.js";
import { startBar } from "./bar.js";
import { paint, table } from "./table.js";
import type { Done, Order, Way } from "./worker.js";

const processes = 4;
/** Under a name of this run alone: somebody else may use the store too. */
const accounts = ["alice", "bob"].map((owner) => `bank-demo/${process.pid}-${Date.now()}/${owner}`);
const roundMs = 4000;
const rounds: readonly Way[] = ["no protection", "a lock", "ifRevision"];

interface Round {
  readonly way: Way;
  readonly expectedCents: number;
  readonly realCents: number;
  readonly updates: number;
  /** Acknowledged, and yet in no balance. */
  readonly lost: number;
  readonly latenciesMs: readonly number[];
  readonly isRight: boolean;
}

const on = storeNamed();
const directory = mkdtempSync(join(tmpdir(), "lockstep-bank-"));
const address = on ?? `lmdb:${directory}`;
/** Without who asks, and without parameters: a password may be among either. */
const shown = address.replace(/:\/\/.*@/, "://").replace(/\?.*/, "");
const workers: ChildProcess[] = [];
process.once("exit", () => {
  for (const worker of workers) worker.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

console.log(
  `\n${paint("bold", "The bank account of every textbook")}: ${processes} processes pay into ` +
    `and withdraw from ${accounts.length} accounts, on ${shown}.\n`,
);
const results = await playAll().catch((error: unknown) => leave(error));
console.log(`\n${report(results)}`);
process.exitCode = results.some(({ way, isRight }) => way !== "no protection" && !isRight) ? 1 : 0;

function storeNamed(): string | undefined {
  try {
    return parseArgs({ options: { on: { type: "string" } } }).values.on;
  } catch (error) {
    return leave(error, "Usage: npm start [-- --on ADDRESS], as in --on redis://localhost");
  }
}

/** In words, for a trace says nothing to who only looks. */
function leave(error: unknown, ...more: string[]): never {
  console.error([error instanceof Error ? error.message : error, ...more].join("\n"));
  process.exit(1);
}

async function playAll(): Promise<Round[]> {
  await using ls = await connect(address);
  for (let n = 0; n < processes; n++) {
    workers.push(fork(fileURLToPath(new URL("worker.ts", import.meta.url)), [address]));
  }
  await Promise.all(workers.map((worker) => answerOf(worker)));
  const played: Round[] = [];
  for (const way of rounds) played.push(await play(way, ls.kv));
  for (const worker of workers) worker.disconnect();
  for (const name of accounts) await ls.kv.delete(name);
  return played;
}

async function play(way: Way, kv: KeyValue): Promise<Round> {
  for (const name of accounts) await kv.put(name, JSON.stringify(opened));
  const stopBar = startBar(way.padEnd(13), roundMs);
  const order: Order = { way, accounts, forMs: roundMs };
  for (const worker of workers) worker.send(order);
  const done = (await Promise.all(workers.map((worker) => answerOf<Done>(worker)))).flat();
  stopBar();

  const balances = await Promise.all(
    accounts.map(async (name) => {
      const acknowledged = done.filter((payment) => payment.name === name);
      const expected = acknowledged.reduce((sum, { cents }) => sum + cents, opened.cents);
      const { cents, updates } = parse(await kv.get(name));
      return { expected, real: cents, lost: acknowledged.length - updates };
    }),
  );
  return {
    way,
    expectedCents: sum(balances.map(({ expected }) => expected)),
    realCents: sum(balances.map(({ real }) => real)),
    updates: done.length,
    lost: sum(balances.map(({ lost }) => lost)),
    latenciesMs: done.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b),
    isRight: balances.every(({ expected, real, lost }) => expected === real && lost === 0),
  };
}

/** The next thing a worker says. */
function answerOf<T>(worker: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => {
      reject(new Error(`a worker ended with status ${code} before it answered`));
    };
    worker.once("exit", onExit);
    worker.once("message", (answer) => {
      worker.off("exit", onExit);
      resolve(answer as T);
    });
  });
}

function report(played: readonly Round[]): string {
  const head = ["protected by", "expected", "real", "lost updates", "ops/s", "p50 ms", "p99 ms"];
  const rows = played.map(({ way, expectedCents, realCents, updates, lost, latenciesMs }) => [
    way === "no protection" ? "nothing" : way,
    money(expectedCents),
    money(realCents),
    `${lost.toLocaleString("en")} of ${updates.toLocaleString("en")}`,
    Math.round(updates / (roundMs / 1000)).toLocaleString("en"),
    percentile(latenciesMs, 0.5).toFixed(1),
    percentile(latenciesMs, 0.99).toFixed(1),
  ]);
  const verdict = (row: number, column: number) =>
    column === 2 || column === 3 ? (played[row]?.isRight ? "green" : "red") : undefined;
  return `${table(head, rows, verdict)}\n\n${explain(played)}`;
}

function explain(played: readonly Round[]): string {
  const broken = played.filter(({ way, isRight }) => way !== "no protection" && !isRight);
  if (broken.length > 0) {
    const names = broken.map(({ way }) => way).join(" and ");
    return paint("red", `Lockstep failed: protected by ${names}, the books are wrong. Please report this.`);
  }
  return `Each process reads a balance, works for a millisecond, and writes a new one. Without protection two
of them read the same balance, and the later write wipes out the earlier: that money is gone, or made.
A lock lets one in at a time; ifRevision writes only over what was read, and tries again where it comes too
late. Every payment counted here was acknowledged by the store${on ? "" : ", which had flushed it to disk"}.

${paint("dim", "Next: README.md, the three ways in examples/bank/worker.ts, and npx lockstep --help")}
`;
}

/** Of numbers in order, the one that the given part of them does not exceed. */
function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function money(cents: number): string {
  return (cents / 100).toLocaleString("en", { minimumFractionDigits: 2 });
}
