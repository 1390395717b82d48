import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JuteReader, JuteWriter } from "../../src/engines/zookeeper/client/jute.js";

const partArb = fc.oneof(
  fc.record({ kind: fc.constant("int" as const), value: fc.integer() }),
  fc.record({
    kind: fc.constant("long" as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.record({ kind: fc.constant("bool" as const), value: fc.boolean() }),
  fc.record({ kind: fc.constant("string" as const), value: fc.string({ unit: "binary", maxLength: 300 }) }),
  fc.record({ kind: fc.constant("buffer" as const), value: fc.uint8Array({ maxLength: 2000 }) }),
);

type Part = typeof partArb extends fc.Arbitrary<infer P> ? P : never;

function written(parts: readonly Part[]): Buffer {
  const writer = new JuteWriter();
  for (const part of parts) {
    if (part.kind === "int") writer.int(part.value);
    else if (part.kind === "long") writer.long(part.value);
    else if (part.kind === "bool") writer.bool(part.value);
    else if (part.kind === "string") writer.string(part.value);
    else writer.buffer(part.value);
  }
  return writer.finish();
}

function readAs(reader: JuteReader, { kind }: Part): unknown {
  return kind === "buffer" ? new Uint8Array(reader.buffer()) : reader[kind]();
}

describe("ZooKeeper's binary form", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(fc.array(partArb, { maxLength: 40 }), (parts) => {
        const reader = new JuteReader(written(parts));
        for (const part of parts) expect(readAs(reader, part)).toEqual(part.value);
        expect(() => reader.bool()).toThrow(RangeError);
      }),
    );
  });

  test("that is cut short is refused, wherever it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(partArb, { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1 }),
        (parts, at) => {
          const whole = written(parts);
          const reader = new JuteReader(whole.subarray(0, Math.floor(at * whole.length * 0.999)));
          expect(() => {
            for (const part of parts) readAs(reader, part);
          }).toThrow(RangeError);
        },
      ),
    );
  });

  test("is big-endian, with a length before strings", () => {
    expect(written([{ kind: "int", value: 258 }]).toString("hex")).toBe("00000102");
    expect(written([{ kind: "long", value: -2n }]).toString("hex")).toBe("fffffffffffffffe");
    expect(written([{ kind: "string", value: "é" }]).toString("hex")).toBe("00000002c3a9");
  });

  test("has what is null in Java, which is empty here", () => {
    const nothing = Buffer.from("ffffffff".repeat(3), "hex");
    const reader = new JuteReader(nothing);
    expect([reader.buffer().length, reader.string(), reader.strings()]).toEqual([0, "", []]);
  });
});
