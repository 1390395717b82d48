// What the classics share: each is played in one event loop, across worker threads, or in both.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

type Room = "loop" | "threads";

/** How it went. */
export interface Outcome {
  readonly story: string;
  /** What should never have happened, and did. */
  readonly faults: readonly string[];
}

const both = ["loop", "threads"] as const;
const names: Record<Room, string> = { loop: "in one event loop", threads: "across threads" };

/** Plays where the command line says, in both rooms if it says nothing, and ends with a verdict. */
export async function play(
  title: string,
  promise: string,
  rooms: Record<Room, () => Promise<Outcome>>,
): Promise<void> {
  const [wanted] = process.argv.slice(2);
  const played = both.filter((room) => wanted === undefined || room === wanted);
  if (played.length === 0) {
    console.error(`There is no room "${wanted}": say loop or threads, or nothing for both.`);
    process.exit(64);
  }
  console.log(title);
  const broken: string[] = [];
  for (const room of played) {
    const { story, faults } = await rooms[room]();
    console.log(`  ${names[room].padEnd(17)}  ${story}`);
    broken.push(...faults.map((fault) => `${names[room]}, ${fault}`));
  }
  const held = `Held ${played.map((room) => names[room]).join(" and ")}`;
  console.log(broken.length === 0 ? `${held}: ${promise}` : `BROKEN: ${broken.join("; ")}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

/** Runs the file once more in a thread for each of the parts, and waits until all have played theirs. */
export async function playInThreads(file: string, parts: readonly object[]): Promise<void> {
  await Promise.all(
    parts.map(async (workerData) => {
      const [code] = (await once(new Worker(new URL(file), { workerData }), "exit")) as [number];
      if (code !== 0) throw new Error(`a thread ended with status ${code}`);
    }),
  );
}

/** Zeros that all threads see. */
export function sharedNumbers(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}

/** From 0 up to but not including `count`. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

export function total(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
