// Five philosophers sit around a table, with one fork between each two of them, and to eat takes both forks
// next to one's seat. If each takes the left one first, all may wait for the right one for ever. If all keep
// to one order, and take the fork with the lower number first, somebody can always eat.
//
//   node --import ./scripts/typescript.mjs examples/classics/dining-philosophers.ts [loop|threads]
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, workerData } from "node:worker_threads";
import { Barrier, Mutex } from "lockstep/sync";
import * as threads from "lockstep/threads";
import { play, playInThreads, sharedNumbers, total, upTo, type Outcome } from "./rooms.js";

const seats = upTo(5);
const meals = 200;

interface Table {
  readonly forks: readonly (Mutex | threads.Mutex)[];
  /** Nobody begins before all are seated. */
  readonly start: Barrier | threads.Barrier;
  readonly notes: Notes;
}

/** What is seen by all; nothing protects it but the forks. */
interface Notes {
  readonly isEating: Int32Array;
  readonly eaten: Int32Array;
  readonly mostAtOnce: Int32Array;
  readonly clashes: Int32Array;
}

/** The life of a philosopher, in either room: a lock of threads is awaited just like one of an event loop. */
async function dine(seat: number, { forks, start, notes }: Table): Promise<void> {
  const right = (seat + 1) % seats.length;
  await start.wait();
  while (total(notes.eaten) < meals) {
    {
      using _first = await forks[Math.min(seat, right)]!.acquire();
      using _second = await forks[Math.max(seat, right)]!.acquire();
      await eat(seat, notes);
    }
    await sleep(Math.random() * 3); // thinks
  }
}

async function eat(seat: number, { isEating, eaten, mostAtOnce, clashes }: Notes): Promise<void> {
  Atomics.store(isEating, seat, 1);
  for (const neighbour of [seat + 1, seat - 1]) {
    Atomics.add(clashes, 0, Atomics.load(isEating, (neighbour + seats.length) % seats.length));
  }
  const atOnce = total(isEating);
  if (atOnce > mostAtOnce[0]!) mostAtOnce[0] = atOnce;
  await sleep(1);
  Atomics.store(isEating, seat, 0);
  Atomics.add(eaten, seat, 1);
}

function layTable(): Notes {
  const [isEating, eaten] = [sharedNumbers(seats.length), sharedNumbers(seats.length)];
  return { isEating, eaten, mostAtOnce: sharedNumbers(1), clashes: sharedNumbers(1) };
}

function judge({ eaten, mostAtOnce, clashes }: Notes): Outcome {
  const faults: string[] = [];
  if (clashes[0]! > 0) faults.push(`neighbours ate at the same time, ${clashes[0]} times`);
  if (eaten.includes(0)) faults.push("somebody starved");
  const story = `${total(eaten)} meals, by seat ${eaten.join(" ")}; up to ${mostAtOnce[0]} ate at once`;
  return { story, faults };
}

async function inOneLoop(): Promise<Outcome> {
  const notes = layTable();
  const table: Table = { forks: seats.map(() => new Mutex()), start: new Barrier(seats.length), notes };
  await Promise.all(seats.map((seat) => dine(seat, table)));
  return judge(notes);
}

interface Part {
  readonly seat: number;
  readonly forks: readonly threads.MutexHandle[];
  readonly start: threads.BarrierHandle;
  readonly notes: Notes;
}

async function acrossThreads(): Promise<Outcome> {
  const notes = layTable();
  const forks = seats.map(() => new threads.Mutex().handle);
  const start = new threads.Barrier(seats.length).handle;
  await playInThreads(
    import.meta.url,
    seats.map((seat): Part => ({ seat, forks, start, notes })),
  );
  return judge(notes);
}

if (isMainThread) {
  await play(
    "Five philosophers dine with five forks.",
    "nobody starved, and neighbours never ate at the same time.",
    { loop: inOneLoop, threads: acrossThreads },
  );
} else {
  const { seat, forks, start, notes } = workerData as Part;
  const table = {
    forks: forks.map((fork) => threads.Mutex.from(fork)),
    start: threads.Barrier.from(start),
    notes,
  };
  await dine(seat, table);
}
