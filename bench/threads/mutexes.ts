// A mutex among threads: Mutex, its peer, and the least that can be done with bare Atomics.
import { Mutex, type MutexHandle } from "lockstep/threads";
import type { Subjects } from "../apart.js";
import { loadMultithreading } from "./multithreading.js";
import { alone, together, type Loops, type Players } from "./arena.js";
import type { Seat } from "./seat.js";

interface Guard {
  readonly release: () => void;
}

const module = "./mutexes.js";
const duel = (name: string, dataOf: () => unknown) => () => together(module, [name, name], dataOf);

/** Two threads that take three locks in turn: each is taken the moment that the other thread lets it go. */
const inTurn = 3;
const wordsOf = (memory: SharedArrayBuffer) => new Int32Array(memory);
const newMemory = () => new SharedArrayBuffer(16);
const newMemories = () => Array.from({ length: inTurn }, newMemory);

export const subjects: Subjects = {
  lockstep: () => ({
    pairs: () => alone(module, "lockstep"),
    atOnce: () => alone(module, "lockstep, at once"),
    handOver: duel("lockstep", () => Array.from({ length: inTurn }, () => new Mutex().handle)),
  }),
  multithreading: () => ({
    pairs: () => alone(module, "multithreading"),
    handOver: duel("multithreading", newMemories),
  }),
  "bare Atomics": () => ({
    pairs: () => alone(module, "bare Atomics"),
    handOver: duel("bare Atomics", newMemory),
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
  lockstep(seat, handles: readonly MutexHandle[]) {
    const mutexes = handles.map((handle) => Mutex.from(handle));
    takeInTurn(seat, (lock) => mutexes[lock]!.lockSync());
  },
  async multithreading(seat, memories: readonly SharedArrayBuffer[]) {
    const { Mutex: Peer } = await loadMultithreading();
    const mutexes = memories.map((memory) => new Peer(undefined, memory));
    takeInTurn(seat, (lock) => {
      const guard = mutexes[lock]!.blockingLock();
      return { release: () => guard.dispose() };
    });
  },
  /** No lock, only the waking up. */
  "bare Atomics"(seat, memory: SharedArrayBuffer) {
    const words = wordsOf(memory);
    seat.begin(2);
    while (seat.goesOn()) {
      while (Atomics.load(words, 0) !== seat.index && seat.goesOn()) {
        Atomics.wait(words, 0, 1 - seat.index, 100);
      }
      seat.done();
      Atomics.store(words, 0, 1 - seat.index);
      Atomics.notify(words, 0);
    }
  },
};

/**
 * Each thread holds one lock, takes the next one, which the other thread holds, and only then releases its
 * own. So both go on by one lock at a time, in turn, and no thread can take again what it has just released.
 */
function takeInTurn(seat: Seat, take: (lock: number) => Guard): void {
  let lock = seat.index;
  let guard = take(lock);
  seat.begin(2);
  while (seat.goesOn()) {
    lock = (lock + 1) % inTurn;
    const next = take(lock);
    guard.release();
    guard = next;
    seat.done();
  }
  guard.release();
}
