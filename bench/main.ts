// `npm run bench` runs all benches, `npm run bench -- NAME ...` some of them. README.md says what they
// measure.
import { blockedCpu } from "./blocked-cpu.js";
import { checkCausal } from "./check-causal.js";
import { checkLinearizable } from "./check-linearizable.js";
import { checkShortcuts } from "./check-shortcuts.js";
import { checkTransactions } from "./check-transactions.js";
import { contended } from "./contended.js";
import { explore } from "./explore.js";
import { millionNames } from "./million-names.js";
import { preparePeers } from "./peers.js";
import { endProgress, print, save, start, type Report } from "./report.js";
import { etcd } from "./servers/etcd.js";
import { postgres } from "./servers/postgres.js";
import { redis } from "./servers/redis.js";
import { zookeeper } from "./servers/zookeeper.js";
import { simulate } from "./simulate.js";
import { stm } from "./stm.js";
import { stmBank } from "./stm-bank.js";
import { stmContention } from "./stm-contention.js";
import { stmMemory } from "./stm-memory.js";
import { stmReaders } from "./stm-readers.js";
import { syncChannel } from "./sync-channel.js";
import { syncLocks } from "./sync-locks.js";
import { syncPatience } from "./sync-patience.js";
import { syncPool } from "./sync-pool.js";
import { syncRateLimiter } from "./sync-rate-limiter.js";
import { syncRest } from "./sync-rest.js";
import { syncRwLock } from "./sync-rw-lock.js";
import { threads } from "./threads.js";
import { uncontended } from "./uncontended.js";
import { waiterMemory } from "./waiter-memory.js";

const benches: Record<string, (hasFlock: boolean) => Promise<Report>> = {
  uncontended,
  contended,
  "waiter-memory": waiterMemory,
  "blocked-cpu": blockedCpu,
  "million-names": millionNames,
  redis,
  etcd,
  postgres,
  zookeeper,
  "sync-locks": syncLocks,
  "sync-patience": syncPatience,
  "sync-rw-lock": syncRwLock,
  "sync-rate-limiter": syncRateLimiter,
  "sync-pool": syncPool,
  "sync-channel": syncChannel,
  "sync-rest": syncRest,
  threads,
  stm,
  "stm-readers": stmReaders,
  "stm-contention": stmContention,
  "stm-memory": stmMemory,
  "stm-bank": stmBank,
  "check-linearizable": checkLinearizable,
  "check-shortcuts": checkShortcuts,
  "check-causal": checkCausal,
  "check-transactions": checkTransactions,
  explore,
  simulate,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benches);
const unknown = wanted.find((name) => !(name in benches));
if (unknown !== undefined) {
  console.error(`There is no bench named ${unknown}; there are ${Object.keys(benches).join(", ")}.`);
  process.exit(2);
}
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const withoutFlock = preparePeers();
if (withoutFlock !== undefined) console.log(withoutFlock);
for (const name of wanted) {
  const started = start();
  const report = await benches[name]!(withoutFlock === undefined);
  endProgress();
  print(report);
  save(name, report, started);
}
console.log("Written to bench/results. A figure counts only if the machine had nothing else to do.");
