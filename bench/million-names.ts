// A million names of locks, each used once: a name that nobody uses any more should leave nothing behind.
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { connect, type Lockstep } from "lockstep";
import { inDirectory } from "./processes.js";
import { showProgress, type Report } from "./report.js";

const atOnce = 100;
/** When to look: what a hundred held at once need is taken up early, and a name must not add to it. */
const stages = [10, 1000, 10_000, 100_000, 1_000_000];
const mostGrowthBytes = 2 ** 20;

interface Size {
  readonly names: number;
  readonly keys: number;
  readonly bytes: number;
}

export async function millionNames(): Promise<Report> {
  const begun = performance.now();
  const sizes = await inDirectory(async (directory) => {
    await using ls = await connect(`lmdb:${directory}`);
    const seen: Size[] = [];
    let done = 0;
    for (const names of stages) {
      showProgress(`${names.toLocaleString("en")} names`);
      while (done < names) {
        const count = Math.min(atOnce, names - done);
        await use(ls, done, count);
        done += count;
      }
      seen.push(await sizeOf(ls, directory, names));
    }
    return seen;
  });
  const [before, after] = [sizes[0]!, sizes.at(-1)!];
  const seconds = (performance.now() - begun) / 1000;
  const growth = after.bytes - before.bytes;
  return {
    title: `Names: each of a million locks used once, ${atOnce} at a time (${seconds.toFixed(0)} s)`,
    head: ["after names", "keys of locks", "bytes on disk"],
    rows: sizes.map((size) =>
      [size.names, size.keys, size.bytes].map((number) => number.toLocaleString("en")),
    ),
    targets: [
      {
        what: "keys of locks left",
        target: `${before.keys}, as after ${before.names}`,
        measured: String(after.keys),
        isMet: after.keys === before.keys,
      },
      {
        what: "growth of the store",
        target: `≤ ${mostGrowthBytes / 1024} KiB`,
        measured: `${Math.round(growth / 1024)} KiB`,
        isMet: growth <= mostGrowthBytes,
      },
    ],
    figures: { sizes, seconds },
  };
}

async function use(ls: Lockstep, from: number, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `name-${from + index}`);
  const held = await Promise.all(names.map((name) => ls.lock(name).acquire()));
  await Promise.all(held.map((one) => one.release()));
}

async function sizeOf(ls: Lockstep, directory: string, names: number): Promise<Size> {
  const { entries } = await ls.store.read({ prefix: "lock/" });
  return { names, keys: entries.length, bytes: bytesIn(directory) };
}

/** What the disk gives to the files of a directory, as `du` counts it. */
function bytesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + lstatSync(join(directory, name)).blocks * 512, 0);
}
