// `node --import ./test/stm/workload/source-loader.mjs test/stm/workload/main.ts --transactions 1000000`:
// so many transactions, judged. `--seed 17` begins with that seed, and with `--transactions 1` ends with it.
import { parseArgs } from "node:util";
import { judgeSeeds } from "./judge.js";

const { values } = parseArgs({
  options: { transactions: { type: "string", default: "1000000" }, seed: { type: "string" } },
});
const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const startedAt = performance.now();
const { seeds, transactions, undone, findings } = await judgeSeeds(firstSeed, Number(values.transactions));
const seconds = (performance.now() - startedAt) / 1000;
const number = (value: number) => value.toLocaleString("en-US");

console.log(`seeds ${firstSeed} to ${firstSeed + seeds - 1} in ${seconds.toFixed(1)} s`);
console.log(
  `${number(transactions)} transactions, ${number(undone)} undone attempts, ${findings.length} findings`,
);
for (const finding of findings) console.log(`\n${finding}`);
if (findings.length > 0) process.exitCode = 1;
