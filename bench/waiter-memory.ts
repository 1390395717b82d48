// Ten thousand tasks of one process wait for one lock: what does each cost?
import { alternate, median } from "./alternate.js";
import { inDirectory, Worker } from "./processes.js";
import type { Report } from "./report.js";

const rounds = 5;
const tasks = 10_000;
const mostBytes = 1024;

export async function waiterMemory(): Promise<Report> {
  const results = await alternate(rounds, [{ name: "lockstep", measure: bytesPerWaiter }]);
  const bytes = results.get("lockstep")!;
  const each = Math.round(median(bytes));
  return {
    title: `Memory: ${tasks.toLocaleString("en")} tasks of one process wait for one lock`,
    head: ["", "heap bytes per waiter"],
    rows: [["lockstep", String(each)]],
    targets: [
      {
        what: "heap bytes per waiter",
        target: `≤ ${mostBytes}`,
        measured: String(each),
        isMet: each <= mostBytes,
      },
    ],
    figures: { bytesPerWaiter: each, rounds: bytes },
  };
}

function bytesPerWaiter(): Promise<number> {
  return inDirectory(async (directory) => {
    const args = [`lmdb:${directory}`, String(tasks)];
    const worker = new Worker("waiter-memory-worker.ts", args, ["--expose-gc"]);
    const bytes = await worker.answer<number>();
    await worker.end();
    return bytes;
  });
}
