import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ManualClock } from "lockstep/base";
import { AtomicCounter, Channel, type ChannelHandle } from "lockstep/threads";
import { inThread } from "./channel-thread.js";
import { headAt, headSeenAt, tailAt, tailSeenAt } from "../../src/threads/channel-ring.js";

const bytes = (...values: number[]) => Uint8Array.from(values);
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

/** Lets the positions begin anywhere, as they are after so much traffic. */
function moveTo<T>(channel: Channel<T>, position: number): Channel<T> {
  const words = new Int32Array(channel.handle.memory);
  for (const at of [headAt, headSeenAt, tailAt, tailSeenAt]) words[at] = position;
  return channel;
}

describe("Channel", () => {
  test("passes records on in order, as many as it holds", () => {
    const channel = new Channel({ recordBytes: 3, capacity: 5 });
    for (let each = 0; each < 5; each++) expect(channel.trySend(bytes(each, each, each))).toBe(true);
    expect(channel.trySend(bytes(9))).toBe(false);
    expect(channel.tryReceive()).toEqual({ value: bytes(0, 0, 0) });
    expect(channel.trySend(bytes(9))).toBe(true);
    expect(channel.tryReceiveMany(2)).toEqual([bytes(1, 1, 1), bytes(2, 2, 2)]);
    expect(channel.tryReceiveMany()).toEqual([bytes(3, 3, 3), bytes(4, 4, 4), bytes(9)]);
    expect(channel.tryReceive()).toBeNull();
    expect(channel.tryReceiveMany()).toEqual([]);
  });

  test("passes on messages of any length, up to all that it holds", () => {
    const channel = new Channel({ bytes: 64 });
    const longest = new Uint8Array(60).fill(7);
    expect(channel.trySend(longest)).toBe(true);
    expect(channel.trySend(bytes())).toBe(false);
    expect(channel.tryReceive()).toEqual({ value: longest });
    expect(channel.trySendMany([bytes(), bytes(1), new Uint8Array(40), new Uint8Array(40)])).toBe(3);
    expect(channel.tryReceiveMany().map(({ length }) => length)).toEqual([0, 1, 40]);
    expect(() => channel.trySend(new Uint8Array(61))).toThrow(/longer than 60 bytes/);
  });

  test("keeps what was sent, whatever becomes of the array", async () => {
    const channel = new Channel({ recordBytes: 1, capacity: 1 });
    const message = bytes(1);
    await channel.send(message);
    const waits = channel.send(message);
    message[0] = 2;
    expect(await channel.receive()).toEqual(bytes(1));
    await waits;
    expect(await channel.receive()).toEqual(bytes(1));
  });

  test("carries JSON and numbers, null and NaN included", () => {
    const things = Channel.json<unknown>({ bytes: 1000 });
    const values = [null, 1.5, "λ – 🎈", [], { a: [{ b: false }] }];
    expect(things.trySendMany(values)).toBe(values.length);
    expect(things.tryReceiveMany()).toEqual(values);
    const numbers = Channel.numbers({ capacity: 4 });
    expect(numbers.trySendMany([NaN, -0, Infinity, 2 ** 53, 5])).toBe(4);
    expect(numbers.tryReceiveMany()).toEqual([NaN, -0, Infinity, 2 ** 53]);
  });

  test("a value that sends while it is turned to JSON spoils nothing", () => {
    const channel = Channel.json<unknown>({ bytes: 1000 });
    const nested = { toJSON: () => (channel.trySend("inner"), "outer") };
    channel.trySend(nested);
    channel.trySendMany([1, nested, 2]);
    expect(channel.tryReceiveMany()).toEqual(["inner", "outer", "inner", 1, "outer", 2]);
  });

  test("is drained when it is closed, and then at its end", async () => {
    const channel = Channel.numbers({ capacity: 2 });
    expect(channel.trySendMany([1, 2])).toBe(2);
    const waits = channel.send(3);
    expect(channel.isClosed).toBe(false);
    channel.close();
    channel.close();
    expect(channel.isClosed).toBe(true);
    await expect(waits).rejects.toEqual(code("closed"));
    await expect(channel.send(3)).rejects.toEqual(code("closed"));
    expect(() => channel.trySend(3)).toThrow(code("closed"));
    expect(() => channel.trySendMany([3])).toThrow(code("closed"));
    expect(await channel.receive()).toBe(1);
    expect(channel.tryReceive()).toEqual({ value: 2 });
    await expect(channel.receive()).rejects.toEqual(code("closed"));
    expect(() => channel.tryReceive()).toThrow(code("closed"));
    expect(() => channel.tryReceiveMany()).toThrow(code("closed"));
  });

  test("those who wait are served in their order, and nobody overtakes them", async () => {
    const channel = Channel.numbers({ capacity: 1 });
    const receives = [channel.receive(), channel.receive(), channel.receive()];
    expect(channel.tryReceive()).toBeNull();
    const sends = [1, 2, 3, 4, 5].map((each) => channel.send(each));
    expect(await Promise.all(receives)).toEqual([1, 2, 3]);
    await sends[3];
    expect(channel.trySend(6)).toBe(false);
    expect(channel.trySendMany([6])).toBe(0);
    expect(await channel.receive()).toBe(4);
    await Promise.all(sends);
    expect(await channel.receive()).toBe(5);
  });

  test("one that gives up takes nothing and sends nothing", async () => {
    const clock = new ManualClock();
    const channel = Channel.numbers({ capacity: 1, clock });
    const reason = new Error("enough");
    const controller = new AbortController();
    const aborted = expect(channel.receive({ signal: controller.signal })).rejects.toBe(reason);
    const late = expect(channel.receive({ timeoutMs: 10 })).rejects.toEqual(code("timeout"));
    const last = channel.receive();
    controller.abort(reason);
    await clock.advance(10);
    await aborted;
    await late;
    expect(channel.trySend(1)).toBe(true);
    await clock.advance(100);
    expect(await last).toBe(1);

    await channel.send(2);
    const given = expect(channel.send(3, { timeoutMs: 10 })).rejects.toEqual(code("timeout"));
    await expect(channel.send(4, { timeoutMs: 0 })).rejects.toEqual(code("timeout"));
    await expect(channel.send(4, { signal: controller.signal })).rejects.toBe(reason);
    await clock.advance(10);
    await given;
    expect(channel.tryReceiveMany()).toEqual([2]);
    await expect(channel.receive({ timeoutMs: 0 })).rejects.toEqual(code("timeout"));
  });

  test("a thread that would block while tasks of its own wait is told, and overtakes nobody", async () => {
    const full = Channel.numbers({ capacity: 1 });
    const empty = Channel.numbers({ capacity: 1 });
    await full.send(0);
    const { done } = inThread(
      async ({ Channel, isLockstepError }, handles) => {
        const codeOf = (call: () => unknown) => {
          try {
            return call();
          } catch (error) {
            return isLockstepError(error) && error.code;
          }
        };
        const full = Channel.from(handles.full);
        const empty = Channel.from(handles.empty);
        const sent = full.send(1);
        const received = empty.receive();
        // There is room now, and a message, but they belong to the tasks that have waited for them.
        full.tryReceive();
        empty.trySend(5);
        const found = [
          codeOf(() => full.sendSync(2)),
          codeOf(() => full.sendSync(2, { timeoutMs: 0 })),
          codeOf(() => empty.receiveSync()),
          codeOf(() => [...empty]),
        ];
        await sent;
        found.push(full.tryReceive()!.value, await received);
        full.sendSync(3);
        empty.trySend(6);
        found.push(full.receiveSync(), empty.receiveSync());
        full.sendSync(4);
        const late = full.send(5).catch((error: unknown) => isLockstepError(error) && error.code);
        full.close();
        found.push(
          codeOf(() => full.sendSync(6)),
          await late,
        );
        return found;
      },
      { full: full.handle, empty: empty.handle },
    );
    const refused = Array.from({ length: 4 }, () => "misuse");
    expect(await done).toEqual([...refused, 1, 5, 3, 6, "closed", "closed"]);
  });

  test("loops share the messages and end with the channel; leaving one loses none", async () => {
    const channel = Channel.numbers({ capacity: 100 });
    const left = channel[Symbol.asyncIterator]();
    const pending = left.next();
    await left.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    const seen: number[] = [];
    const loop = async () => {
      for await (const each of channel) seen.push(each);
    };
    const loops = [loop(), loop()];
    const sent = Array.from({ length: 50 }, (_, index) => index);
    expect(channel.trySendMany(sent)).toBe(50);
    for await (const each of channel) {
      seen.push(each);
      break;
    }
    channel.close();
    await Promise.all(loops);
    expect(seen.sort((one, other) => one - other)).toEqual(sent);
  });

  test("lets the event loop turn, however much there is to receive", async () => {
    const channel = Channel.numbers({ capacity: 4 });
    const timer = { fired: false };
    setTimeout(() => (timer.fired = true), 1);
    while (!timer.fired) {
      await channel.send(1);
      await channel.receive();
    }
  });

  test("does as an array does, wherever its positions are", () => {
    const sizes = [
      { bytes: 100 },
      { bytes: 257 },
      { recordBytes: 9, capacity: 7 },
      { recordBytes: 1, capacity: 1 },
    ];
    const step = fc.oneof(
      fc.record({ send: fc.array(fc.integer({ min: 0, max: 96 }), { maxLength: 12 }) }),
      fc.record({ receive: fc.integer({ min: 1, max: 9 }) }),
    );
    const start = fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31 - 40, -(2 ** 31), -1, -7, 12345);
    fc.assert(
      fc.property(
        fc.constantFrom(...sizes),
        start,
        fc.array(step, { maxLength: 60 }),
        (size, position, steps) => {
          const channel = moveTo(new Channel(size), position);
          const longest = size.recordBytes ?? size.bytes - 4;
          const cells = (length: number) => 1 + Math.ceil((size.recordBytes ?? length) / 4);
          const most = size.bytes === undefined ? cells(0) * size.capacity : Math.floor(size.bytes / 4);
          const model: Uint8Array[] = [];
          let used = 0;
          let fill = 0;
          for (const each of steps) {
            if ("receive" in each) {
              const got =
                each.receive === 1 ? [channel.tryReceive()?.value].flatMap((x) => x ?? []) : undefined;
              const received = got ?? channel.tryReceiveMany(each.receive);
              expect(received).toEqual(model.splice(0, each.receive));
              for (const { length } of received) used -= cells(length);
              continue;
            }
            const messages = each.send.map((length) =>
              new Uint8Array(Math.min(length, longest)).fill(++fill),
            );
            let fits = 0;
            for (const { length } of messages) {
              if (used + cells(length) > most) break;
              used += cells(length);
              fits++;
            }
            const sent =
              messages.length === 1 ? Number(channel.trySend(messages[0]!)) : channel.trySendMany(messages);
            expect(sent).toBe(fits);
            model.push(...messages.slice(0, fits));
          }
          expect(channel.tryReceiveMany()).toEqual(model);
        },
      ),
    );
  });

  test("refuses nonsense, says what to do, and changes nothing", async () => {
    const nothing: unknown = Object.create(null);
    const make = (options: unknown) => () => new Channel(options as { bytes: number });
    for (const bad of [0, -1, 7, 1.5, NaN, Infinity, "64", 2 ** 31, nothing]) {
      expect(make({ bytes: bad })).toThrow(code("bad-input"));
      if (bad !== 7) expect(make({ recordBytes: bad, capacity: 1 })).toThrow(code("bad-input"));
      if (bad !== 7) expect(make({ recordBytes: 1, capacity: bad })).toThrow(code("bad-input"));
    }
    for (const bad of [{}, { bytes: 64, capacity: 1 }, { capacity: 1 }, { recordBytes: 1 }, undefined, 5]) {
      expect(make(bad)).toThrow(code("bad-input"));
    }
    expect(make({ bytes: 64, size: 1 })).toThrow(/no option "size"/);
    expect(make({ recordBytes: 2 ** 20, capacity: 2 ** 20 })).toThrow(/at most/);
    expect(() => Channel.numbers({ capacity: 1, recordBytes: 8 } as never)).toThrow(code("bad-input"));

    const channel = new Channel({ recordBytes: 4, capacity: 2 });
    for (const bad of [undefined, null, 1, "x", [1], new Uint16Array(1), new Uint8Array(5)]) {
      expect(() => channel.trySend(bad as Uint8Array)).toThrow(code("bad-input"));
      expect(() => channel.trySendMany([bytes(1), bad as Uint8Array])).toThrow(code("bad-input"));
      await expect(channel.send(bad as Uint8Array)).rejects.toEqual(code("bad-input"));
    }
    expect(() => channel.trySendMany(3 as never)).toThrow(code("bad-input"));
    expect(() => Channel.json({ bytes: 64 }).trySend(undefined)).toThrow(code("bad-input"));
    expect(() => Channel.json({ bytes: 64 }).trySend("🎈".repeat(20))).toThrow(/longer than 60 bytes/);
    expect(() => Channel.numbers({ capacity: 1 }).trySend("1" as never)).toThrow(code("bad-input"));
    const holed: number[] = [1];
    holed[2] = 3;
    expect(() => Channel.numbers({ capacity: 3 }).trySendMany(holed)).toThrow(code("bad-input"));
    const json = Channel.json<unknown>({ bytes: 64 });
    const circle: unknown[] = [];
    circle.push(circle);
    for (const bad of [1n, { deep: [1n] }, circle, Symbol("x"), () => 1]) {
      expect(() => json.trySend(bad)).toThrow(code("bad-input"));
      expect(() => json.trySendMany([1, bad])).toThrow(code("bad-input"));
      await expect(json.send(bad)).rejects.toEqual(code("bad-input"));
    }
    expect(() => json.trySendMany(holed)).toThrow(code("bad-input"));
    const boo = new Error("boo");
    const failing = () => {
      throw boo;
    };
    expect(() => json.trySend({ toJSON: failing })).toThrow(boo);
    expect(json.tryReceive()).toBeNull();
    for (const bad of [0, -1, 1.5, NaN, "1"]) {
      expect(() => channel.tryReceiveMany(bad as number)).toThrow(code("bad-input"));
    }
    await expect(channel.receive({ timeout: 1 } as never)).rejects.toThrow(/no option "timeout"/);
    await expect(channel.send(bytes(1), { timeoutMs: -1 })).rejects.toEqual(code("bad-input"));
    expect(() => channel.receiveSync()).toThrow(
      /main thread must not block: use `await channel.receive\(\)`/,
    );
    expect(() => channel.sendSync(bytes(1))).toThrow(code("misuse"));
    expect(() => [...channel]).toThrow(code("misuse"));
    expect(channel.tryReceiveMany()).toEqual([]);
  });

  test("opens by its handle only, and knows what it carries", () => {
    expectTypeOf(new Channel({ bytes: 64 })).toEqualTypeOf<Channel>();
    expectTypeOf(
      Channel.from(Channel.json<{ id: number }>({ bytes: 64 }).handle).receive,
    ).returns.resolves.toEqualTypeOf<{
      id: number;
    }>();
    // @ts-expect-error: bytes are all that it carries without a format
    expectTypeOf(new Channel<number>({ bytes: 64 })).not.toBeAny();
    const numbers = Channel.numbers({ capacity: 2, name: "jobs" });
    const again = Channel.from(numbers.handle);
    numbers.trySend(4);
    expect(again.tryReceive()).toEqual({ value: 4 });
    again.close();
    expect(() => numbers.trySend(4)).toThrow(/the channel "jobs"/);
    const from = (handle: unknown) => () => Channel.from(handle as ChannelHandle<number>);
    const { handle } = numbers;
    expect(from(new AtomicCounter().handle)).toThrow(/handle of an AtomicCounter; use AtomicCounter.from/);
    expect(from({ ...handle, version: 2 })).toThrow(/version 2/);
    expect(from({ ...handle, format: "xml" })).toThrow(code("bad-input"));
    expect(from({ ...handle, format: "toString" })).toThrow(code("bad-input"));
    for (const size of [undefined, null, 5, "x", { bytes: 64, recordBytes: 8 }]) {
      expect(from({ ...handle, size })).toThrow(code("bad-input"));
    }
    const odd = new SharedArrayBuffer(handle.memory.byteLength + 1);
    expect(from({ ...handle, memory: odd })).toThrow(/whole words/);
    expect(() => Channel.from(handle, null as never)).toThrow(code("bad-input"));
    expect(from({ ...handle, size: { recordBytes: 8, capacity: 1000 } })).toThrow(/needs \d+ bytes/);
    expect(from(undefined)).toThrow(/needs the `handle` of a Channel/);
  });
});
