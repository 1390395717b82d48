// A row for each of the other primitives among threads.
import {
  AtomicCounter,
  Barrier,
  Condition,
  Latch,
  Mutex,
  RwLock,
  Semaphore,
  Seqlock,
  SharedCell,
  SharedStruct,
  type BarrierHandle,
  type ConditionHandle,
  type MutexHandle,
} from "lockstep/threads";
import type { Subjects, Workloads } from "../apart.js";
import { alone, together, type Loops, type Players } from "./arena.js";
import { counted } from "./counted.js";

const module = "./rest.js";

export const subjects: Subjects = Object.fromEntries(
  Object.keys(counted).map((name) => [name, () => workloads(name)]),
);

interface ConditionData {
  readonly mutex: MutexHandle;
  readonly condition: ConditionHandle;
  readonly turn: SharedArrayBuffer;
}

function workloads(name: string): Workloads {
  if (name === "Condition") return { each: () => together(module, [name, name], newCondition) };
  if (name === "Barrier") return { each: () => together(module, [name, name], () => new Barrier(2).handle) };
  return { each: () => alone(module, name) };
}

function newCondition(): ConditionData {
  const mutex = new Mutex();
  const condition = new Condition(mutex);
  return { mutex: mutex.handle, condition: condition.handle, turn: new SharedArrayBuffer(4) };
}

export const loops: Loops<unknown> = {
  "Atomics.add"(pace) {
    const cell = new BigInt64Array(new SharedArrayBuffer(8));
    while (pace.goesOn()) Atomics.add(cell, 0, 1n);
  },
  AtomicCounter(pace) {
    const counter = new AtomicCounter();
    while (pace.goesOn()) counter.increment();
  },
  Semaphore(pace) {
    const semaphore = new Semaphore(4);
    while (pace.goesOn()) semaphore.acquireSync().release();
  },
  "RwLock, reading"(pace) {
    const { read } = new RwLock();
    while (pace.goesOn()) read.lockSync().release();
  },
  "RwLock, writing"(pace) {
    const { write } = new RwLock();
    while (pace.goesOn()) write.lockSync().release();
  },
  Latch(pace) {
    const latch = new Latch(1);
    latch.countDown();
    while (pace.goesOn()) latch.waitSync();
  },
  "Seqlock, reading"(pace) {
    const seqlock = new Seqlock({ bytes: 64 });
    let sum = 0;
    while (pace.goesOn()) sum += seqlock.read((view) => view.getFloat64(0));
    if (sum !== 0) throw new Error("nobody wrote");
  },
  "Seqlock, writing"(pace) {
    const seqlock = new Seqlock({ bytes: 64 });
    while (pace.goesOn()) seqlock.write((view) => view.setFloat64(0, 1));
  },
  "SharedStruct, reading"(pace) {
    const struct = SharedStruct.of({ x: "f64", y: "f64" });
    while (pace.goesOn()) if (struct.get().x !== 0) throw new Error("nobody wrote");
  },
  "SharedStruct, writing"(pace) {
    const struct = SharedStruct.of({ x: "f64", y: "f64" });
    while (pace.goesOn()) struct.update(({ x, y }) => ({ x: x + 1, y: y - 1 }));
  },
  "SharedCell, reading"(pace) {
    const cell = new SharedCell<number>({ maxBytes: 64 });
    cell.set(1);
    while (pace.goesOn()) if (cell.get() !== 1) throw new Error("nobody else wrote");
  },
  "SharedCell, writing"(pace) {
    const cell = new SharedCell<number>({ maxBytes: 64 });
    while (pace.goesOn()) cell.set(1);
  },
};

export const players: Players<never> = {
  /** Two threads in turn, each of which waits for the other. */
  Condition(seat, data: ConditionData) {
    const mutex = Mutex.from(data.mutex);
    const condition = Condition.from(data.condition, mutex);
    const turn = new Int32Array(data.turn);
    seat.begin(2);
    const held = mutex.lockSync();
    const isMine = () => turn[0] === seat.index || !seat.goesOn();
    while (seat.goesOn()) {
      condition.waitUntilSync(held, isMine);
      turn[0] = 1 - seat.index;
      condition.notifyOne();
      seat.done();
    }
    condition.notifyAll();
    held.release();
  },
  /** The last to leave would wait for the other, so each trip decides whether there is another one. */
  Barrier(seat, handle: BarrierHandle) {
    const barrier = Barrier.from(handle);
    seat.begin(2);
    for (let isOver = false; !isOver;) {
      barrier.waitSync();
      seat.done();
      // Both look between the same two trips, at what nobody writes then.
      if (seat.index === 0) seat.decide();
      barrier.waitSync();
      seat.done();
      isOver = seat.isDecided;
    }
  },
};
