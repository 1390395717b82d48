// Measures one subject of a module, again each time that it is told to.
import type { Round, Subjects } from "./apart.js";

const [module, name, place] = process.argv.slice(2) as [string, string, string];
const { subjects } = (await import(module)) as { subjects: Subjects };
const workloads = await subjects[name]!(place);

process.on("message", () => {
  void measure().then((round) => process.send?.(round));
});
process.once("disconnect", () => process.exit());
process.send?.("ready");

async function measure(): Promise<Round> {
  const round: Round = {};
  for (const [workload, run] of Object.entries(workloads)) round[workload] = await run();
  return round;
}
