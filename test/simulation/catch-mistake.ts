// Runs the workload that shall catch the mistake that LOCKSTEP_MISTAKE names, until it is caught.
import { mistakes } from "./mistakes.mjs";
import { findingsOf, workloads } from "./workloads/play-seed.js";

const mostSeeds = 24;
const minutes = 12;

const mistake = mistakes.find(({ name }) => name === process.env["LOCKSTEP_MISTAKE"])!;
process.on("unhandledRejection", (reason) => {
  report(`nobody handles ${String(reason)}`);
});
for (let seed = 0; seed < mostSeeds; seed++) {
  const [finding] = await findingsOf(seed, workloads[mistake.workload], minutes);
  if (finding !== undefined) report(`by seed ${seed}: ${finding}`);
}
console.log(`missed by ${mostSeeds} seeds`);

function report(how: string): never {
  console.log(`caught ${how}`);
  process.exit();
}
