// Channels between real threads. LOCKSTEP_STRESS_SECONDS lets the random ones go on for longer.
import { describe, expect, test } from "vitest";
import { SeededRandom } from "lockstep/base";
import { Channel, type ChannelHandle, type ChannelOptions } from "lockstep/threads";
import { headAt, headSeenAt, tailAt, tailSeenAt } from "../../src/threads/channel-ring.js";
import { inThread, outcome, type Library } from "./channel-thread.js";

const stressMs = Number(process.env["LOCKSTEP_STRESS_SECONDS"] ?? 2) * 1000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Errand {
  handle: ChannelHandle<Uint8Array>;
  /** Who it is among the senders. */
  self: number;
  count: number;
  /** How often each message of each sender was received. */
  marks: Uint8Array;
}

/** Sends its messages in all the ways that there are. A message is its sender, its number, and a pattern. */
async function send({ Channel }: Library, { handle, self, count }: Errand): Promise<void> {
  const channel = Channel.from(handle);
  const message = (number: number) => {
    const bytes = new Uint8Array(8 + (number % 9)).fill((self * 31 + number) & 255);
    new DataView(bytes.buffer).setUint32(0, self);
    new DataView(bytes.buffer).setUint32(4, number);
    return bytes;
  };
  for (let number = 0; number < count;) {
    const way = (number * 7 + self) % 4;
    if (way === 0) channel.sendSync(message(number++));
    else if (way === 1) await channel.send(message(number++));
    else if (way === 2) number += Number(channel.trySend(message(number)));
    else
      number += channel.trySendMany([number, number + 1, number + 2].filter((n) => n < count).map(message));
  }
}

/** Receives in all the ways that there are until the channel ends; throws at a message that is not whole. */
async function receive({ Channel, isLockstepError }: Library, { handle, self, count, marks }: Errand) {
  const channel = Channel.from(handle);
  const last: number[] = [];
  const look = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const sender = view.getUint32(0);
    const number = view.getUint32(4);
    const pattern = (sender * 31 + number) & 255;
    if (bytes.length !== 8 + (number % 9) || !bytes.subarray(8).every((byte) => byte === pattern)) {
      throw new Error(`message ${number} of ${sender} was torn`);
    }
    if (number <= (last[sender] ?? -1)) throw new Error(`${number} of ${sender} came after ${last[sender]}`);
    last[sender] = number;
    Atomics.add(marks, sender * count + number, 1);
  };
  try {
    for (let turn = self; ; turn++) {
      if (turn % 4 === 0) look(channel.receiveSync());
      else if (turn % 4 === 1) look(await channel.receive());
      else if (turn % 4 === 2) [channel.tryReceive()].forEach((received) => received && look(received.value));
      else channel.tryReceiveMany(3).forEach(look);
    }
  } catch (error) {
    if (!isLockstepError(error, "closed")) throw error;
  }
}

/** Sends or receives, and ends the thread just before the Atomics operation of that number. */
function dieAfter(
  { Channel }: Library,
  { handle, role, steps }: { handle: ChannelHandle<Uint8Array>; role: "send" | "receive"; steps: number },
): void {
  const channel = Channel.from(handle);
  let left = steps;
  for (const name of ["load", "store", "compareExchange", "notify"] as const) {
    const operation = Atomics[name] as (...given: unknown[]) => unknown;
    const watched = (...given: unknown[]) => (left-- === 0 ? process.exit() : operation(...given));
    Object.assign(Atomics, { [name]: watched });
  }
  if (role === "send") channel.trySend(Uint8Array.of(2, 2));
  else channel.tryReceive();
  left = Infinity;
}

function newMarks(messages: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(messages));
}

/** Positions overflow 32 bits soon after it. */
const start = 2 ** 31 - 5000;

function newChannel(options: ChannelOptions): Channel {
  const channel = new Channel(options);
  const words = new Int32Array(channel.handle.memory);
  for (const at of [headAt, headSeenAt, tailAt, tailSeenAt]) words[at] = start;
  return channel;
}

describe("among threads", () => {
  const cases: [string, ChannelOptions, number, number, number][] = [
    ["records, one to one", { recordBytes: 16, capacity: 64 }, 1, 1, 20_000],
    ["records, three to three, hardly any room", { recordBytes: 16, capacity: 2 }, 3, 3, 2_000],
    ["any length, three to three", { bytes: 100 }, 3, 3, 3_000],
    ["any length, four to one", { bytes: 1000 }, 4, 1, 3_000],
  ];
  for (const [name, options, senders, receivers, count] of cases) {
    test(`${name}: each message arrives once, whole, and those of a sender in order`, async () => {
      const channel = newChannel(options);
      const marks = newMarks(senders * count);
      const errand = (self: number): Errand => ({ handle: channel.handle, self, count, marks });
      const sending = Array.from({ length: senders }, (_, self) => inThread(send, errand(self)).done);
      const receiving = Array.from({ length: receivers }, (_, self) => inThread(receive, errand(self)).done);
      await Promise.all(sending);
      channel.close();
      await Promise.all(receiving);
      expect(marks.every((times) => times === 1)).toBe(true);
    });
  }

  test("the main thread takes part by awaiting", async () => {
    const channel = Channel.json<{ id: number }>({ bytes: 200 });
    const back = Channel.numbers({ capacity: 3 });
    const { done } = inThread(
      ({ Channel }, { jobs, results }) => {
        const back = Channel.from(results);
        for (const { id } of Channel.from(jobs)) back.sendSync(id * 2);
        back.close();
      },
      { jobs: channel.handle, results: back.handle },
    );
    const sending = (async () => {
      for (let id = 0; id < 500; id++) await channel.send({ id });
      channel.close();
    })();
    let next = 0;
    for await (const result of back) expect(result).toBe(2 * next++);
    expect(next).toBe(500);
    await Promise.all([sending, done]);
  });

  test("those who block give up in time, and go on when it is closed", async () => {
    const channel = Channel.numbers({ capacity: 1 });
    const codes = await outcome(({ Channel, isLockstepError }, handle) => {
      const channel = Channel.from(handle);
      const failure = (step: () => unknown) => {
        try {
          step();
          return "nothing";
        } catch (error) {
          return isLockstepError(error) ? error.code : String(error);
        }
      };
      return [
        failure(() => channel.receiveSync({ timeoutMs: 5 })),
        failure(() => channel.receiveSync({ timeoutMs: 0 })),
        failure(() => channel.sendSync(1, { timeoutMs: 5 })),
        failure(() => channel.sendSync(2, { timeoutMs: 5 })),
        failure(() => channel.sendSync(2, { signal: 1 } as never)),
        failure(() => channel.sendSync(2, { timeoutMs: NaN })),
      ];
    }, channel.handle);
    expect(codes).toEqual(["timeout", "timeout", "nothing", "timeout", "bad-input", "bad-input"]);
    const { done } = inThread(({ Channel }, handle) => [...Channel.from(handle)], channel.handle);
    await channel.send(5);
    channel.close();
    expect(await done).toEqual([1, 5]);
  });

  test("a thread may send in its last listeners", async () => {
    const channel = Channel.numbers({ capacity: 2 });
    await inThread(({ Channel }, handle) => {
      const channel = Channel.from(handle);
      process.on("exit", () => channel.trySend(1));
      process.exit();
    }, channel.handle).done;
    expect(channel.tryReceiveMany()).toEqual([1]);
  });

  test("a sender or receiver that dies at any step leaves the channel whole", async () => {
    for (const role of ["send", "receive"] as const) {
      for (let steps = 0, died = true; died; steps++) {
        const channel = newChannel({ recordBytes: 4, capacity: 2 });
        channel.trySend(Uint8Array.of(1, 1));
        died = (await inThread(dieAfter, { handle: channel.handle, role, steps }).done) === "dead";
        const sent = channel.trySend(Uint8Array.of(3, 3));
        const left = channel.tryReceiveMany().map(([first, second]) => (first === second ? first : NaN));
        const possible =
          role === "send"
            ? [
                [1, 3],
                [1, 2],
              ]
            : [[1, 3], [3]];
        expect(possible).toContainEqual(left);
        expect(sent).toBe(left.includes(3));
        expect(channel.trySendMany([Uint8Array.of(4), Uint8Array.of(5)])).toBe(2);
        expect(steps).toBeLessThan(40);
      }
    }
  });

  test(
    "threads that die anywhere keep nobody waiting, and tear, double or lose nothing else",
    async () => {
      const seed = Number(process.env["LOCKSTEP_SEED"] ?? 20261121);
      const random = new SeededRandom(seed);
      for (const until = Date.now() + stressMs; Date.now() < until;) {
        const channel = newChannel(random.chance(0.5) ? { bytes: 120 } : { recordBytes: 16, capacity: 3 });
        const count = 100_000;
        const marks = newMarks(4 * count);
        const errand = (self: number): Errand => ({ handle: channel.handle, self, count, marks });
        const victims = [inThread(send, errand(0)), inThread(receive, errand(0)), inThread(send, errand(1))];
        const survivors = [inThread(send, { ...errand(2), count: 1000, marks })];
        const receiving = [inThread(receive, errand(1)), inThread(receive, errand(2))];
        const words = new Int32Array(channel.handle.memory);
        while (Atomics.load(words, headAt) === start) await sleep(1);
        for (const { worker } of victims) {
          await sleep(random.below(60));
          await worker.terminate();
        }
        await Promise.all(survivors.map(({ done }) => done));
        channel.close();
        await Promise.all(receiving.map(({ done }) => done));
        expect(
          Math.max(...[0, 1, 2].map((self) => Math.max(...marks.subarray(self * count, (self + 1) * count)))),
          `seed ${seed}`,
        ).toBe(1);
        // The one receiver that died may have had some in its hands.
        const arrived = marks.subarray(2 * count, 2 * count + 1000).reduce((sum, times) => sum + times, 0);
        expect(arrived, `seed ${seed}`).toBeGreaterThanOrEqual(1000 - 3);
      }
    },
    stressMs + 60_000,
  );
});
