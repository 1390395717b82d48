// `npm run bench` runs all benches, `npm run bench -- NAME ...` some of them. README.md says what they
// measure.
import { blockedCpu } from "./blocked-cpu.js";
import { contended } from "./contended.js";
import { millionNames } from "./million-names.js";
import { preparePeers } from "./peers.js";
import { endProgress, print, save, type Report } from "./report.js";
import { uncontended } from "./uncontended.js";
import { waiterMemory } from "./waiter-memory.js";

const benches: Record<string, (hasFlock: boolean) => Promise<Report>> = {
  uncontended,
  contended,
  "waiter-memory": waiterMemory,
  "blocked-cpu": blockedCpu,
  "million-names": millionNames,
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
  const startedAt = new Date();
  const report = await benches[name]!(withoutFlock === undefined);
  endProgress();
  print(report);
  save(name, report, startedAt);
}
console.log("Written to bench/results. A figure counts only if the machine had nothing else to do.");
