// Lets many tasks of one process wait for one lock, and says how much of the heap each of them costs.
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Held } from "lockstep";
import { heapBytes } from "./heap.js";

const [address, count] = process.argv.slice(2) as [string, string];
const tasks = Number(count);

await using ls = await connect(address);
const lock = ls.lock("bench");
const held = await lock.acquire();
const waiting = new Array<Promise<Held> | undefined>(tasks).fill(undefined);
// The first to wait pays for code that is compiled once.
const first = lock.acquire();
await sleep(200);

const before = await heapBytes();
for (let task = 0; task < tasks; task++) waiting[task] = lock.acquire();
await sleep(200);
const bytesEach = ((await heapBytes()) - before) / tasks;

// All of them are served, or it was no waiting.
await held.release();
await (await first).release();
for (const grant of waiting) await (await grant)!.release();
process.send?.(bytesEach);
process.disconnect();
