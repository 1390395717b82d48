// Some make things and put them into a buffer, others take them out and use them. Who finds the buffer full,
// or empty, waits until somebody has changed that: inside the mutex, which a condition gives up for as long
// as one waits. (`Channel` is such a buffer, ready made.)
//
//   node --import ./scripts/typescript.mjs examples/classics/bounded-buffer.ts [loop|threads]
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, workerData } from "node:worker_threads";
import { Condition, Mutex } from "lockstep/sync";
import * as threads from "lockstep/threads";
import { play, playInThreads, sharedNumbers, total, upTo, type Outcome } from "./rooms.js";

const places = 4;
const things = 300;
const makers = 2;
const users = 3;

/** What is seen by all, and touched by nobody but who holds the mutex. */
interface Shelf {
  readonly places: Int32Array;
  /** How many were ever put in, and taken out. */
  readonly counts: Int32Array;
  readonly mostAtOnce: Int32Array;
  /** How often each thing was used. */
  readonly used: Int32Array;
}

/** The buffer of the textbooks, in either room: what is called alike in both is used alike. */
class BoundedBuffer {
  readonly #mutex: Mutex | threads.Mutex;
  readonly #notFull: Condition | threads.Condition;
  readonly #notEmpty: Condition | threads.Condition;
  readonly #shelf: Shelf;

  constructor(
    mutex: Mutex | threads.Mutex,
    notFull: Condition | threads.Condition,
    notEmpty: Condition | threads.Condition,
    shelf: Shelf,
  ) {
    this.#mutex = mutex;
    this.#notFull = notFull;
    this.#notEmpty = notEmpty;
    this.#shelf = shelf;
  }

  async put(thing: number): Promise<void> {
    const { counts, mostAtOnce } = this.#shelf;
    using held = await this.#mutex.acquire();
    await this.#notFull.waitUntil(held, () => counts[0]! - counts[1]! < places);
    this.#shelf.places[counts[0]! % places] = thing;
    counts[0]!++;
    mostAtOnce[0] = Math.max(mostAtOnce[0]!, counts[0]! - counts[1]!);
    this.#notEmpty.notifyOne();
  }

  /** The next thing; undefined when all have been taken. */
  async take(): Promise<number | undefined> {
    const { counts } = this.#shelf;
    using held = await this.#mutex.acquire();
    await this.#notEmpty.waitUntil(held, () => counts[0]! > counts[1]! || counts[1] === things);
    if (counts[1] === things) return undefined;
    const thing = this.#shelf.places[counts[1]! % places];
    counts[1]!++;
    this.#notFull.notifyOne();
    // Those who wait for one more thing will wait in vain.
    if (counts[1] === things) this.#notEmpty.notifyAll();
    return thing;
  }
}

async function make(me: number, buffer: BoundedBuffer): Promise<void> {
  for (let thing = me; thing < things; thing += makers) {
    if (Math.random() < 0.2) await sleep(1);
    await buffer.put(thing);
  }
}

async function use(buffer: BoundedBuffer, { used }: Shelf): Promise<void> {
  for (;;) {
    const thing = await buffer.take();
    if (thing === undefined) return;
    Atomics.add(used, thing, 1);
    if (Math.random() < 0.2) await sleep(1);
  }
}

function setUp(): Shelf {
  const [slots, counts, used] = [sharedNumbers(places), sharedNumbers(2), sharedNumbers(things)];
  return { places: slots, counts, used, mostAtOnce: sharedNumbers(1) };
}

function judge({ mostAtOnce, used }: Shelf): Outcome {
  const faults: string[] = [];
  const lost = used.filter((times) => times === 0).length;
  const doubled = used.filter((times) => times > 1).length;
  if (lost > 0) faults.push(`${lost} things were lost`);
  if (doubled > 0) faults.push(`${doubled} things were used more than once`);
  if (mostAtOnce[0]! > places) faults.push(`the buffer of ${places} held ${mostAtOnce[0]}`);
  const story = `${total(used)} things used, by ${users}; up to ${mostAtOnce[0]} lay in the ${places} places`;
  return { story, faults };
}

async function inOneLoop(): Promise<Outcome> {
  const shelf = setUp();
  const mutex = new Mutex();
  const buffer = new BoundedBuffer(mutex, new Condition(mutex), new Condition(mutex), shelf);
  await Promise.all([
    ...upTo(makers).map((me) => make(me, buffer)),
    ...upTo(users).map(() => use(buffer, shelf)),
  ]);
  return judge(shelf);
}

interface Part {
  /** The number of the maker; undefined for one who uses. */
  readonly maker: number | undefined;
  readonly mutex: threads.MutexHandle;
  readonly notFull: threads.ConditionHandle;
  readonly notEmpty: threads.ConditionHandle;
  readonly shelf: Shelf;
}

async function acrossThreads(): Promise<Outcome> {
  const shelf = setUp();
  const mutex = new threads.Mutex();
  const [notFull, notEmpty] = [new threads.Condition(mutex), new threads.Condition(mutex)];
  const handles = { mutex: mutex.handle, notFull: notFull.handle, notEmpty: notEmpty.handle };
  const parts = [...upTo(makers), ...upTo(users).map(() => undefined)];
  await playInThreads(
    import.meta.url,
    parts.map((maker): Part => ({ maker, ...handles, shelf })),
  );
  return judge(shelf);
}

if (isMainThread) {
  await play(
    "Two make things, three use them, and four lie in between at most.",
    "each thing was used exactly once, and the buffer never held too many.",
    { loop: inOneLoop, threads: acrossThreads },
  );
} else {
  const { maker, shelf, ...handles } = workerData as Part;
  const mutex = threads.Mutex.from(handles.mutex);
  const notFull = threads.Condition.from(handles.notFull, mutex);
  const notEmpty = threads.Condition.from(handles.notEmpty, mutex);
  const buffer = new BoundedBuffer(mutex, notFull, notEmpty, shelf);
  await (maker === undefined ? use(buffer, shelf) : make(maker, buffer));
}
