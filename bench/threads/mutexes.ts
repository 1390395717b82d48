// A mutex among threads: Mutex, its peer, and the least that can be done with bare Atomics.
import { Mutex, type MutexHandle } from "lockstep/threads";
import type { Subjects, Workloads } from "../apart.js";
import { loadMultithreading } from "./multithreading.js";
import { alone, answers, together, type Loops, type Players } from "./arena.js";
import { HandOvers } from "./hand-overs.js";
import type { Seat } from "./seat.js";

interface Guard {
  readonly release: () => void;
}

const module = "./mutexes.js";

/** Two threads that take three locks in turn: each is taken the moment that the other thread lets it go. */
const inTurn = 3;
const wordsOf = (memory: SharedArrayBuffer) => new Int32Array(memory);
const newMemory = () => new SharedArrayBuffer(16);
const newMemories = () => Array.from({ length: inTurn }, newMemory);
const newHandles = () => Array.from({ length: inTurn }, () => new Mutex().handle);

/** What two threads get: the locks, or what stands for them, and memory to tell when they were let go of. */
interface Duel<Locks> {
  readonly locks: Locks;
  readonly moments?: SharedArrayBuffer;
}

/** The microseconds that a hand-over takes, when both threads run and when the one that waits is asleep. */
function duels(name: string, newLocks: () => unknown): Workloads {
  const asleep = () => ({ locks: newLocks(), moments: newMemory() });
  return {
    running: async () => 1e6 / (await together(module, [name, name], () => ({ locks: newLocks() }))),
    asleep: () => answers(module, [name, name], asleep()),
  };
}

export const subjects: Subjects = {
  lockstep: () => ({
    pairs: () => alone(module, "lockstep"),
    atOnce: () => alone(module, "lockstep, at once"),
    ...duels("lockstep", newHandles),
  }),
  multithreading: () => ({
    pairs: () => alone(module, "multithreading"),
    ...duels("multithreading", newMemories),
  }),
  "bare Atomics": () => ({
    pairs: () => alone(module, "bare Atomics"),
    ...duels("bare Atomics", newMemory),
  }),
};

export const loops: Loops<unknown> = {
  lockstep(pace) {
    const mutex = new Mutex();
    while (pace.goesOn()) mutex.lockSync().release();
  },
  "lockstep, at once"(pace) {
    const mutex = new Mutex();
    while (pace.goesOn()) mutex.tryAcquire()!.release();
  },
  async multithreading(pace) {
    const { Mutex: Peer } = await loadMultithreading();
    const mutex = new Peer(undefined, newMemory());
    while (pace.goesOn()) mutex.blockingLock().dispose();
  },
  "bare Atomics"(pace) {
    const words = wordsOf(newMemory());
    while (pace.goesOn()) {
      if (Atomics.compareExchange(words, 0, 0, 1) !== 0) throw new Error("nobody else has it");
      if (Atomics.compareExchange(words, 0, 1, 0) !== 1) throw new Error("nobody else releases it");
    }
  },
};

export const players: Players<never> = {
  lockstep(seat, duel: Duel<readonly MutexHandle[]>) {
    const mutexes = duel.locks.map((handle) => Mutex.from(handle));
    return takeInTurn(seat, duel, (lock) => mutexes[lock]!.lockSync());
  },
  async multithreading(seat, duel: Duel<readonly SharedArrayBuffer[]>) {
    const { Mutex: Peer } = await loadMultithreading();
    const mutexes = duel.locks.map((memory) => new Peer(undefined, memory));
    return takeInTurn(seat, duel, (lock) => {
      const guard = mutexes[lock]!.blockingLock();
      return { release: () => guard.dispose() };
    });
  },
  /** No lock, only a word that says whose turn it is: whose it is not sleeps. */
  "bare Atomics"(seat, { locks, moments }: Duel<SharedArrayBuffer>) {
    const words = wordsOf(locks);
    const handOvers = moments && new HandOvers(moments);
    seat.begin(2);
    while (seat.goesOn()) {
      handOvers?.willTake();
      while (Atomics.load(words, 0) !== seat.index && seat.goesOn()) {
        Atomics.wait(words, 0, 1 - seat.index, 100);
      }
      handOvers?.took();
      seat.done();
      handOvers?.letSleep();
      Atomics.store(words, 0, 1 - seat.index);
      Atomics.notify(words, 0);
    }
    return handOvers?.medianMicroseconds;
  },
};

/**
 * Each thread holds one lock, takes the next one, which the other thread holds, and only then releases its
 * own. So both go on by one lock at a time, in turn, and no thread can take again what it has just released.
 */
function takeInTurn(
  seat: Seat,
  { moments }: Duel<unknown>,
  take: (lock: number) => Guard,
): number | undefined {
  const handOvers = moments && new HandOvers(moments);
  let lock = seat.index;
  let guard = take(lock);
  seat.begin(2);
  while (seat.goesOn()) {
    lock = (lock + 1) % inTurn;
    handOvers?.willTake();
    const next = take(lock);
    handOvers?.took();
    handOvers?.letSleep();
    guard.release();
    guard = next;
    seat.done();
  }
  guard.release();
  return handOvers?.medianMicroseconds;
}
