import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import {
  bytes,
  choice,
  decoded,
  encoded,
  flag,
  int64,
  many,
  maybe,
  message,
  one,
  text,
} from "../../src/engines/etcd/protobuf.js";

const inner = message({ name: one(1, text), data: one(2, bytes) });
const codec = message({
  count: one(1, int64),
  isSure: one(2, flag),
  kind: one(3, choice("A", "B")),
  first: maybe(4, inner),
  rest: many(20, inner),
});

test("what is written is read", () => {
  const longest = 2n ** 63n - 1n;
  for (const count of [0n, 1n, 127n, 128n, 300n, 2n ** 35n, 2n ** 53n + 1n, longest, -1n, -longest - 1n]) {
    const rest = [1, 127, 128, 20_000].map((length) => ({
      name: "ä".repeat(length),
      data: randomBytes(length),
    }));
    const value = { count, isSure: true, kind: "B", first: rest[0]!, rest } as const;
    expect(decoded(codec, Buffer.from(encoded(codec, value)))).toEqual(value);
  }
});

test("it is written as protocol buffers are", () => {
  const value = { count: 300n, isSure: true, kind: "B", first: { name: "hi" } } as const;
  expect(Buffer.from(encoded(codec, value)).toString("hex")).toBe(
    "08ac02" + "1001" + "1801" + "2204" + "0a026869",
  );
  expect(Buffer.from(encoded(codec, { rest: [{}] })).toString("hex")).toBe("a20100");
});

test("a list of a hundred thousand is read in one go", () => {
  const rest = Array.from({ length: 100_000 }, (_, i) => ({ name: String(i), data: Buffer.alloc(0) }));
  expect(decoded(codec, Buffer.from(encoded(codec, { rest }))).rest.at(-1)?.name).toBe("99999");
});

test("what is not there is as if it were empty, and unknown fields of each type are skipped", () => {
  const empty = { count: 0n, isSure: false, kind: "A", first: undefined, rest: [] };
  expect(decoded(codec, Buffer.alloc(0))).toEqual(empty);
  const unknown = ["5005", "510102030405060708", "52021122", "5501020304"].join("");
  expect(decoded(codec, Buffer.from(unknown + "0802", "hex"))).toEqual({ ...empty, count: 2n });
});

test("what is cut off, or of another type, is told of", () => {
  const whole = Buffer.from(encoded(codec, { first: { name: "hi" } }));
  expect(() => decoded(codec, whole.subarray(0, -1))).toThrow(RangeError);
  expect(() => decoded(codec, Buffer.from("0a00", "hex"))).toThrow(TypeError);
  expect(() => decoded(codec, Buffer.from("0b", "hex"))).toThrow(TypeError);
});
