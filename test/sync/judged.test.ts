// What tasks do at random with locks, references and channels is written down, and judged by what such
// objects promise.
import { SeededRandom } from "lockstep/base";
import {
  casRegister,
  mutex,
  queue,
  recorder,
  semaphore,
  type Begun,
  type Model,
  type RecordedClient,
} from "lockstep/check";
import { AtomicRef, Channel, Mutex, RwLock, Semaphore, type Held } from "lockstep/sync";
import { expect, test } from "vitest";
import { mustBeLinearizable } from "../check/must-be-linearizable.js";
import { refusal } from "./outcome.js";

const tasks = 5;

/** What a task does when it is its turn. */
type Turn = (client: RecordedClient, random: SeededRandom) => Promise<void>;

/** Tasks have turns at random with an object, and with another one for each seed. */
async function judge<State>(newObject: () => Turn, model: Model<State>): Promise<void> {
  for (let seed = 0; seed < 25; seed++) {
    const random = new SeededRandom(seed);
    const record = recorder();
    const takeTurn = newObject();
    const run = async (id: number) => {
      for (let turn = 0; turn < 15; turn++) {
        await pause(random);
        await takeTurn(record.client(id), random);
      }
    };
    await Promise.all(Array.from({ length: tasks }, (_, id) => run(id)));
    mustBeLinearizable(record.history, model, `seed ${seed}:`);
  }
}

async function pause(random: SeededRandom): Promise<void> {
  if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve));
  for (let tick = random.below(6); tick > 0; tick--) await Promise.resolve();
}

/** Sometimes none; a call that has lost it has certainly done nothing, as the recorder knows. */
function patience(random: SeededRandom) {
  return random.chance(0.3) ? { timeoutMs: random.below(2) } : {};
}

/** The call, unless it fails for lack of patience. */
async function inTime<T>(call: Promise<T>): Promise<T | undefined> {
  expect(["none", "timeout"]).toContain(await refusal(() => call));
  return call.catch(() => undefined);
}

/** Takes so much by waiting, and gives it back. */
async function hold(
  client: RecordedClient,
  random: SeededRandom,
  weight: number,
  acquire: () => Promise<Held>,
): Promise<void> {
  let held: Held | undefined;
  await inTime(client.call("acquire", weight, async () => void (held = await acquire())));
  if (held === undefined) return;
  await pause(random);
  await client.call("release", weight, () => held!.release());
}

/** Takes so much if it is to be had, and gives it back. One who came too late knows nothing of who holds. */
async function tryToHold(
  client: RecordedClient,
  random: SeededRandom,
  weight: number,
  tryAcquire: () => Held | null,
): Promise<void> {
  const begun = client.invoke("acquire", weight);
  const held = tryAcquire();
  if (held === null) {
    begun.fail();
    return;
  }
  begun.ok();
  await pause(random);
  await client.call("release", weight, () => held.release());
}

test("a mutex is one task's at a time", async () => {
  const newMutex = (): Turn => {
    const lock = new Mutex();
    return async (client, random) => {
      let held: Held | null | undefined;
      if (random.chance(0.3)) {
        await client.call("acquire", () => (held = lock.tryAcquire()) !== null);
      } else {
        const acquire = async () => void (held = await lock.acquire(patience(random)));
        await inTime(client.call("acquire", acquire));
      }
      await pause(random);
      if (held) await client.call("release", () => held!.release());
    };
  };
  await judge(newMutex, mutex());
});

test("a semaphore gives no more permits than it has", async () => {
  const permits = 3;
  const newSemaphore = (): Turn => {
    const lock = new Semaphore(permits);
    return (client, random) => {
      const weight = 1 + random.below(permits);
      if (random.chance(0.3)) {
        return tryToHold(client, random, weight, () => lock.tryAcquire({ weight }));
      }
      return hold(client, random, weight, () => lock.acquire({ weight, ...patience(random) }));
    };
  };
  await judge(newSemaphore, semaphore(permits));
});

test("a read-write lock is a semaphore of which each reader takes one permit, and a writer all", async () => {
  const newLock = (): Turn => {
    const lock = new RwLock();
    return async (client, random) => {
      const [side, weight] = random.chance(0.6) ? [lock.read, 1] : [lock.write, tasks];
      if (random.chance(0.3)) return tryToHold(client, random, weight, () => side.tryAcquire());
      return hold(client, random, weight, () => side.acquire(patience(random)));
    };
  };
  await judge(newLock, semaphore(tasks));
});

test("an atomic reference is a register that can be compared and set", async () => {
  const newRef = (): Turn => {
    const ref = new AtomicRef(0);
    return async (client, random) => {
      const [way, value] = [random.below(4), random.below(5)];
      if (way === 0) await client.call("read", () => ref.get());
      else if (way === 1) await client.call("write", value, () => ref.set(value));
      else if (way === 2)
        await client.call("cas", value, value + 1, () => ref.compareAndSet(value, value + 1));
      else {
        let attempt: Begun | undefined;
        await ref.update(async (old) => {
          attempt?.fail();
          attempt = client.invoke("cas", old, value);
          await pause(random);
          return value;
        });
        attempt?.ok(true);
      }
    };
  };
  await judge(newRef, casRegister({ init: 0 }));
});

test("a channel is a queue, whatever it has room for", async () => {
  for (const capacity of [0, 1, 3, Infinity]) {
    const newChannel = (): Turn => {
      const channel = new Channel<number>({ capacity });
      let last = 0;
      return async (client, random) => {
        const way = random.below(4);
        const value = ++last;
        if (way === 0) await client.call("dequeue", () => channel.tryReceive()?.value);
        else if (way === 1) await inTime(client.call("dequeue", () => channel.receive({ timeoutMs: 1 })));
        else if (way === 2) {
          await inTime(client.call("enqueue", value, () => channel.send(value, { timeoutMs: 1 })));
        } else {
          const begun = client.invoke("enqueue", value);
          if (channel.trySend(value)) begun.ok();
          else begun.fail();
        }
      };
    };
    await judge(newChannel, queue());
  }
});
