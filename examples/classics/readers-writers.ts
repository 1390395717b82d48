// Some read a page that others write anew, line by line. Readers do not disturb each other, and may read at
// the same time; a writer must have the page to itself, or somebody reads half of the old page and half of
// the new.
//
//   node --import ./scripts/typescript.mjs examples/classics/readers-writers.ts [loop|threads]
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, workerData } from "node:worker_threads";
import { Barrier, RwLock } from "lockstep/sync";
import * as threads from "lockstep/threads";
import { play, playInThreads, sharedNumbers, total, upTo, type Outcome } from "./rooms.js";

const lines = 4;
const editions = 20;
const people = ["reader", "reader", "reader", "writer", "writer"] as const;

interface Library {
  readonly lock: RwLock | threads.RwLock;
  /** Nobody begins before all are there. */
  readonly start: Barrier | threads.Barrier;
  readonly desk: Desk;
}

/** What is seen by all. */
interface Desk {
  /** Each line says which edition it is of. */
  readonly page: Int32Array;
  readonly isReading: Int32Array;
  readonly mostAtOnce: Int32Array;
  /** How often each of the people had the page. */
  readonly turns: Int32Array;
  readonly torn: Int32Array;
}

/** Writes the next edition, and takes its time over each line. */
async function write({ page }: Desk): Promise<void> {
  const edition = page[0]! + 1;
  for (let line = 0; line < lines; line++) {
    page[line] = edition;
    await sleep(Math.random() * 3);
  }
}

/** Reads the page, and takes its time over each line. */
async function read(me: number, { page, isReading, mostAtOnce, torn }: Desk): Promise<void> {
  Atomics.store(isReading, me, 1);
  const atOnce = total(isReading);
  if (atOnce > mostAtOnce[0]!) mostAtOnce[0] = atOnce;
  const seen = new Set<number>();
  for (let line = 0; line < lines; line++) {
    seen.add(page[line]!);
    await sleep(Math.random() * 3);
  }
  if (seen.size > 1) Atomics.add(torn, 0, 1);
  Atomics.store(isReading, me, 0);
}

/** A day in the library, in either room: a lock of threads is awaited just like one of an event loop. */
async function visit(me: number, { lock, start, desk }: Library): Promise<void> {
  await start.wait();
  while (desk.page[lines - 1]! < editions) {
    if (people[me] === "writer") await lock.write.run(() => write(desk));
    else await lock.read.run(() => read(me, desk));
    Atomics.add(desk.turns, me, 1);
    await sleep(Math.random() * 3);
  }
}

function setUp(): Desk {
  const [page, isReading, turns] = [lines, people.length, people.length].map(sharedNumbers);
  return {
    page: page!,
    isReading: isReading!,
    turns: turns!,
    mostAtOnce: sharedNumbers(1),
    torn: sharedNumbers(1),
  };
}

function judge({ page, turns, mostAtOnce, torn }: Desk): Outcome {
  const of = (role: string) => total(turns.filter((_, me) => people[me] === role));
  const faults: string[] = [];
  if (torn[0]! > 0) faults.push(`half-written pages were read, ${torn[0]} times`);
  if (turns.includes(0)) faults.push("somebody never had the page");
  // Each writer begins with what the one before left, so no edition is lost.
  if (page[0] !== of("writer"))
    faults.push(`${of("writer")} editions were written, and ${page[0]} are there`);
  const story = `${of("writer")} editions, read ${of("reader")} times; up to ${mostAtOnce[0]} read at once`;
  return { story, faults };
}

async function inOneLoop(): Promise<Outcome> {
  const desk = setUp();
  const library: Library = { lock: new RwLock(), start: new Barrier(people.length), desk };
  await Promise.all(people.map((_, me) => visit(me, library)));
  return judge(desk);
}

interface Part {
  readonly me: number;
  readonly lock: threads.RwLockHandle;
  readonly start: threads.BarrierHandle;
  readonly desk: Desk;
}

async function acrossThreads(): Promise<Outcome> {
  const desk = setUp();
  const { handle: lock } = new threads.RwLock();
  const { handle: start } = new threads.Barrier(people.length);
  await playInThreads(
    import.meta.url,
    upTo(people.length).map((me): Part => ({ me, lock, start, desk })),
  );
  return judge(desk);
}

if (isMainThread) {
  await play(
    "Three read a page that two others write anew.",
    "everybody had the page, no reader saw it half written, and no edition was lost.",
    { loop: inOneLoop, threads: acrossThreads },
  );
} else {
  const { me, lock, start, desk } = workerData as Part;
  await visit(me, { lock: threads.RwLock.from(lock), start: threads.Barrier.from(start), desk });
}
