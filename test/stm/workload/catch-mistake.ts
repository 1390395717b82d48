// Plays what shall catch the mistake that LOCKSTEP_STM_MISTAKE names, until it is caught.
import { judgeSeed, workloads } from "./judge.js";
import { mistakes } from "./mistakes.mjs";
import { lookAtPairs } from "./pairs.js";
import { mixes } from "./promised.js";
import { addUpWhileTransferring } from "./sums.js";

const mostSeeds = 2000;

const mistake = mistakes.find(({ name }) => name === process.env["LOCKSTEP_STM_MISTAKE"])!;
const mix = mixes.find(({ name }) => name === mistake.mix)!;
for (let seed = 0; seed < mostSeeds; seed++) {
  const finding = await findingOf(seed);
  if (finding !== undefined) report(`caught by seed ${seed}: ${finding}`);
}
report(`missed by ${mostSeeds} seeds`);

async function findingOf(seed: number): Promise<string | undefined> {
  const { manners } = mix;
  if (mistake.workload === "sums")
    return (await addUpWhileTransferring(seed, manners[0]!.control, 100)).wrong[0];
  if (mistake.workload === "pairs") return (await lookAtPairs(seed, manners, 50)).unlike[0];
  return (await judgeSeed(seed, { mix, workload: workloads[seed % workloads.length]! })).finding;
}

function report(how: string): never {
  console.log(how);
  process.exit();
}
