import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ManualClock } from "lockstep/base";
import { AtomicCounter, SharedStruct, type SharedStructHandle } from "lockstep/threads";
import { inThread } from "./channel-thread.js";

const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;
const fields = {
  f64: "f64",
  f32: "f32",
  u8: "u8",
  i8: "i8",
  u16: "u16",
  i16: "i16",
  u32: "u32",
  i32: "i32",
  u64: "u64",
  i64: "i64",
  bool: "bool",
  tag: { bytes: 3 },
  name: { text: 12 },
} as const;

describe("SharedStruct", () => {
  test("begins with nothing, and holds what it is set to", () => {
    const point = SharedStruct.of({ x: "f64", on: "bool", tag: { bytes: 2 }, name: { text: 9 }, big: "u64" });
    expect(point.get()).toEqual({ x: 0, on: false, tag: new Uint8Array(2), name: "", big: 0n });
    point.set({ x: 1.5, name: "λ–🎈" });
    point.set({ on: true, tag: Uint8Array.of(1, 2), big: 2n ** 64n - 1n });
    expect(point.get()).toEqual({
      x: 1.5,
      on: true,
      tag: Uint8Array.of(1, 2),
      name: "λ–🎈",
      big: 2n ** 64n - 1n,
    });
    expect(point.version).toBe(2);
  });

  test("knows the types of its fields, there and through its handle", () => {
    const struct = SharedStruct.of({
      x: "f64",
      big: "i64",
      on: "bool",
      name: { text: 4 },
      tag: { bytes: 1 },
    });
    interface Values {
      x: number;
      big: bigint;
      on: boolean;
      name: string;
      tag: Uint8Array;
    }
    expectTypeOf(struct.get()).toEqualTypeOf<Values>();
    expectTypeOf(SharedStruct.from(struct.handle).get()).toEqualTypeOf<Values>();
    expectTypeOf(struct.set).parameter(0).toEqualTypeOf<Partial<Values>>();
  });

  test("gives back every value that it accepts, in every field", () => {
    const values = fc.record(
      {
        f64: fc.double(),
        f32: fc.float(),
        u8: fc.nat(255),
        i8: fc.integer({ min: -128, max: 127 }),
        u16: fc.nat(65535),
        i16: fc.integer({ min: -32768, max: 32767 }),
        u32: fc.nat(2 ** 32 - 1),
        i32: fc.integer(),
        u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        bool: fc.boolean(),
        tag: fc.uint8Array({ minLength: 3, maxLength: 3 }),
        name: fc.string({ unit: "grapheme", maxLength: 12 }).filter((each) => Buffer.byteLength(each) <= 12),
      },
      { requiredKeys: [] },
    );
    const struct = SharedStruct.of(fields);
    const again = SharedStruct.from(struct.handle);
    fc.assert(
      fc.property(values, (some) => {
        const before = struct.get();
        struct.set(some);
        expect(again.get()).toEqual({ ...before, ...some });
      }),
    );
  });

  test("keeps text as it is, and refuses what UTF-8 cannot say", () => {
    const struct = SharedStruct.of({ name: { text: 12 } });
    struct.set({ name: "\ufeffx\ufeff" });
    expect(struct.get()).toEqual({ name: "\ufeffx\ufeff" });
    for (const name of ["\ud83c", "\udf88\ud83c", "a\ud83cb"]) {
      expect(() => struct.set({ name })).toThrow(/well-formed text/);
    }
    expect(struct.version).toBe(1);
  });

  test("a field called then makes no promise of it", () => {
    const struct = SharedStruct.of({ then: "u8" });
    struct.set({ then: 4 });
    expect(struct.update(({ then }) => ({ then: then + 1 }))).toEqual({ then: 5 });
  });

  test("updates in one step, whoever else does, and says what came of it", async () => {
    const account = SharedStruct.of({ balance: "i32", moves: "u32", check: "i32" });
    expect(account.update(({ balance }) => ({ balance: balance + 5, check: -5 }))).toEqual({
      balance: 5,
      moves: 0,
      check: -5,
    });
    account.set({ balance: 0, check: 0 });
    const crew = Array.from({ length: 3 }, (_, self) =>
      inThread(
        ({ SharedStruct }, { handle, self }) => {
          const account = SharedStruct.from(handle);
          let wrong = 0;
          for (let each = 0; each < 3000; each++) {
            account.update(({ balance, moves }) => ({
              balance: balance + self,
              moves: moves + 1,
              check: -(balance + self),
            }));
            const { balance, check } = account.get();
            if (balance !== -check) wrong++;
          }
          return wrong;
        },
        { handle: account.handle, self },
      ),
    );
    expect(await Promise.all(crew.map(({ done }) => done))).toEqual([0, 0, 0]);
    expect(account.get()).toEqual({ balance: 9000, moves: 9000, check: -9000 });
  });

  test("tells of a change, to tasks and to threads that block", async () => {
    const clock = new ManualClock();
    const struct = SharedStruct.of({ count: "i32" }, { clock });
    const waits = struct.changed();
    const blocks = inThread(({ SharedStruct }, handle) => {
      const struct = SharedStruct.from(handle);
      struct.changedSync(0);
      return struct.get();
    }, struct.handle);
    struct.set({ count: 4 });
    expect(await waits).toBe(1);
    expect(await blocks.done).toEqual({ count: 4 });
    const late = expect(struct.changed(1, { timeoutMs: 9 })).rejects.toEqual(code("timeout"));
    await clock.advance(9);
    await late;
  });

  test("refuses what a field does not hold, and changes nothing", () => {
    const struct = SharedStruct.of(fields, { name: "config" });
    const bad: Record<string, unknown[]> = {
      f64: ["1", 1n, undefined, null],
      u8: [-1, 256, 0.5, NaN],
      i8: [-129, 128],
      u16: [65536],
      i16: [-32769],
      u32: [-1, 2 ** 32],
      i32: [2 ** 31, Infinity],
      u64: [-1n, 2n ** 64n, 1],
      i64: [2n ** 63n],
      bool: [1, "true"],
      tag: [new Uint8Array(2), new Uint8Array(4), [1, 2, 3], "abc"],
      name: ["1234567890123", "🎈🎈🎈🎈", 5],
      size: [1],
      toString: [1],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        const set = () => struct.set({ i32: 5, [name]: value });
        expect(set, `${name}: ${String(value)}`).toThrow(code("bad-input"));
      }
    }
    for (const nonsense of [undefined, null, 5, "x"]) {
      expect(() => struct.set(nonsense as unknown as object)).toThrow(code("bad-input"));
      expect(() => struct.update((() => nonsense) as never)).toThrow(code("bad-input"));
      expect(() => struct.update(nonsense as never)).toThrow(code("bad-input"));
    }
    expect(() => struct.update((async () => ({ i32: 1 })) as never)).toThrow(code("misuse"));
    expect(struct.get().i32).toBe(0);
    expect(struct.version).toBe(0);
  });

  test("refuses what are no fields, and handles that are not its own", () => {
    for (const layout of [
      undefined,
      null,
      {},
      5,
      { x: "f65" },
      { x: { bytes: 0 } },
      { x: { text: 1.5 } },
      { x: {} },
      { x: { bytes: 3, text: 5 } },
      { x: { bytes: 3, unit: "ms" } },
      { ["__proto__"]: "u8" },
    ]) {
      expect(() => SharedStruct.of(layout as { x: "f64" })).toThrow(code("bad-input"));
    }
    expect(() => SharedStruct.of({ x: "toString" as "f64" })).toThrow(code("bad-input"));
    expect(() => SharedStruct.of({ x: { bytes: 2 ** 28 }, y: "u8" })).toThrow(/too large/);
    expect(() => SharedStruct.of({ x: "f64" }, { title: "x" } as object)).toThrow(/no option "title"/);
    const { handle } = SharedStruct.of({ x: "f64" });
    const from = (given: unknown) => () => SharedStruct.from(given as SharedStructHandle<{ x: "f64" }>);
    expect(from(new AtomicCounter().handle)).toThrow(/use AtomicCounter.from\(handle\)/);
    expect(from({ ...handle, version: 9 })).toThrow(/version 9/);
    expect(from({ ...handle, fields: undefined })).toThrow(code("bad-input"));
    expect(from({ ...handle, fields: { x: { bytes: 5000 } } })).toThrow(/needs \d+ bytes/);
  });
});
