// What threads do at random with what they share is written down, and judged by what such objects promise.
import { casRegister, counter, mutex, queue, semaphore, type Model, type Operation } from "lockstep/check";
import {
  AtomicCounter,
  Barrier,
  Channel,
  Mutex,
  RwLock,
  Semaphore,
  Seqlock,
  SharedCell,
} from "lockstep/threads";
import { expect, test } from "vitest";
import { mustBeLinearizable } from "../check/must-be-linearizable.js";
import { inThread, type Library } from "./channel-thread.js";
import type { Part } from "./thread-record.js";

const threads = 3;
const seed = Number(process.env["LOCKSTEP_STRESS_SEED"] ?? Date.now() % 2 ** 31);

type Step<Handle> = (
  library: Library,
  errand: { handle: Handle; part: Part },
) => Operation[] | Promise<Operation[]>;

/** All threads take the step with one object; what they say that they saw must be what it promises. */
async function judge<Handle, State>(object: { handle: Handle }, step: Step<Handle>, model: Model<State>) {
  const moments = new Int32Array(new SharedArrayBuffer(4));
  const start = new Barrier(threads).handle;
  const crew = Array.from({ length: threads }, (_, self) =>
    inThread(step, { handle: object.handle, part: { self, seed, start, moments } }),
  );
  const seen = await Promise.all(crew.map(async ({ done }) => (await done) as Operation[]));
  expect(Math.min(...seen.map(({ length }) => length))).toBeGreaterThan(50);
  const operations = seen.flat().sort((a, b) => a.invoked - b.invoked);
  mustBeLinearizable({ operations }, model, `seed ${seed}:`);
}

test("a mutex is one thread's at a time", async () => {
  const step: Step<Mutex["handle"]> = async ({ Mutex, ThreadRecord }, { handle, part }) => {
    const lock = Mutex.from(handle);
    const record = new ThreadRecord(part);
    for (let turn = 0; turn < 300; turn++) {
      const way = record.random.below(3);
      await record.section([], async (inside) => {
        if (way === 0) await lock.run(inside);
        if (way === 1) lock.runSync(inside);
        const held = way === 2 ? lock.tryAcquire() : null;
        if (held) inside();
        held?.release();
      });
    }
    return record.operations;
  };
  await judge(new Mutex(), step, mutex());
});

test("a semaphore gives no more permits than it has", async () => {
  const step: Step<Semaphore["handle"]> = async ({ Semaphore, ThreadRecord }, { handle, part }) => {
    const lock = Semaphore.from(handle);
    const record = new ThreadRecord(part);
    for (let turn = 0; turn < 300; turn++) {
      const way = record.random.below(3);
      const weight = 1 + record.random.below(3);
      await record.section([weight], async (inside) => {
        if (way === 0) await lock.run(inside, { weight });
        if (way === 1) lock.runSync(inside, { weight });
        const held = way === 2 ? lock.tryAcquire({ weight }) : null;
        if (held) inside();
        held?.release();
      });
    }
    return record.operations;
  };
  await judge(new Semaphore(4), step, semaphore(4));
});

test("a read-write lock is a semaphore of which each reader takes one permit, and a writer all", async () => {
  const step: Step<RwLock["handle"]> = async ({ RwLock, ThreadRecord }, { handle, part }) => {
    const lock = RwLock.from(handle);
    const record = new ThreadRecord(part);
    for (let turn = 0; turn < 300; turn++) {
      const isSync = record.random.chance(0.5);
      const [side, weight] = record.random.chance(0.5) ? [lock.read, 1] : [lock.write, 3];
      await record.section([weight], (inside) => (isSync ? side.runSync(inside) : side.run(inside)));
    }
    return record.operations;
  };
  await judge(new RwLock(), step, semaphore(threads));
});

test("a counter counts one after the other, and tells each what it made of it", async () => {
  const step: Step<AtomicCounter["handle"]> = ({ AtomicCounter, ThreadRecord }, { handle, part }) => {
    const counter = AtomicCounter.from(handle);
    const record = new ThreadRecord(part);
    for (let turn = 0; turn < 500; turn++) {
      const amount = record.random.below(7) - 3;
      if (record.random.chance(0.5)) record.begin("add", amount)(counter.add(amount));
      else record.begin("read")(counter.get());
    }
    return record.operations;
  };
  await judge(new AtomicCounter(), step, counter());
});

test("a seqlock is a register, written by one at a time", async () => {
  const step: Step<Seqlock["handle"]> = ({ Seqlock, ThreadRecord }, { handle, part }) => {
    const seqlock = Seqlock.from(handle);
    const record = new ThreadRecord(part);
    for (let turn = 1; turn <= 500; turn++) {
      const way = record.random.below(3);
      const value = part.self * 1000 + turn;
      if (way === 0) record.begin("read")(seqlock.read((view) => view.getInt32(60)));
      else if (way === 1) {
        const written = record.begin("write", value);
        seqlock.write((view) => {
          view.setInt32(60, value);
        });
        written();
      } else {
        const written = seqlock.write((view) => {
          const begun = record.begin("cas", view.getInt32(60), value);
          view.setInt32(60, value);
          return begun;
        });
        written(true);
      }
    }
    return record.operations;
  };
  await judge(new Seqlock({ bytes: 64 }), step, casRegister({ init: 0 }));
});

test("a shared cell is a register that is updated in one step", async () => {
  const step: Step<SharedCell<number>["handle"]> = ({ SharedCell, ThreadRecord }, { handle, part }) => {
    const cell = SharedCell.from(handle);
    const record = new ThreadRecord(part);
    for (let turn = 1; turn <= 500; turn++) {
      const way = record.random.below(3);
      const value = part.self * 1000 + turn;
      if (way === 0) record.begin("read")(cell.get());
      else if (way === 1) {
        const written = record.begin("write", value);
        cell.set(value);
        written();
      } else {
        let updated = (_result: unknown): void => undefined;
        cell.update((old) => {
          updated = record.begin("cas", old, value);
          return value;
        });
        updated(true);
      }
    }
    return record.operations;
  };
  await judge(new SharedCell<number>({ maxBytes: 100 }), step, casRegister());
});

test("a channel is a queue", async () => {
  const step: Step<Channel<number>["handle"]> = async (library, { handle, part }) => {
    const { Channel, ThreadRecord, isLockstepError } = library;
    const channel = Channel.from(handle);
    const record = new ThreadRecord(part);
    const inTime = async (call: () => unknown) => {
      try {
        await call();
      } catch (error) {
        if (!isLockstepError(error, "timeout")) throw error;
      }
    };
    for (let turn = 1; turn <= 300; turn++) {
      const way = record.random.below(6);
      const value = part.self * 1000 + turn;
      const timeoutMs = record.random.below(2);
      if (way < 3) {
        const received = record.begin("dequeue");
        if (way === 0) received(channel.tryReceive()?.value);
        else if (way === 1)
          await inTime(() => {
            received(channel.receiveSync({ timeoutMs }));
          });
        else
          await inTime(async () => {
            received(await channel.receive({ timeoutMs }));
          });
      } else {
        const sent = record.begin("enqueue", value);
        if (way === 3 && channel.trySend(value)) sent();
        if (way >= 4) {
          await inTime(async () => {
            if (way === 4) channel.sendSync(value, { timeoutMs });
            else await channel.send(value, { timeoutMs });
            sent();
          });
        }
      }
    }
    return record.operations;
  };
  for (const capacity of [1, 4]) await judge(Channel.numbers({ capacity }), step, queue());
});
