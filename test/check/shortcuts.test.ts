// What the shortcuts of register, set, queue and stack say of single histories, and of long ones.
import {
  casRegister,
  keyValue,
  queue,
  register,
  set,
  stack,
  type Model,
  type Operation,
  type PartVerdict,
} from "lockstep/check";
import { describe, expect, test } from "vitest";

/** `[name, argument, answer, from, to]`; it failed or has no outcome if it says so instead of an answer. */
type Row = readonly [
  name: string,
  args: readonly unknown[],
  answer: unknown,
  from: number,
  to?: number | undefined,
];

const failed = Symbol("failed");

function history(rows: readonly Row[]): Operation[] {
  return rows.map(([name, args, answer, invoked, returned = Infinity], client) => {
    const outcome = returned === Infinity ? "unknown" : answer === failed ? "fail" : "ok";
    return { client, name, args, result: outcome === "ok" ? answer : undefined, outcome, invoked, returned };
  });
}

function judged<State>(model: Model<State>, ...rows: Row[]): PartVerdict | undefined {
  return model.shortcut!(history(rows));
}

/** The name of what is wrong, and the places of the operations that are told of. */
function wrong<State>(model: Model<State>, ...rows: Row[]): readonly [name: string, ...places: number[]] {
  const operations = history(rows);
  const verdict = model.shortcut!(operations);
  if (verdict === undefined || verdict === "valid") throw new Error(`found nothing wrong: ${verdict}`);
  expect(verdict.explanation).toMatch(/^[^]*\.$/);
  return [verdict.name, ...verdict.operations.map((operation) => operations.indexOf(operation))];
}

describe("register", () => {
  const write = (value: unknown, from: number, to?: number): Row => ["write", [value], undefined, from, to];
  const read = (value: unknown, from: number, to?: number): Row => ["read", [], value, from, to];

  test("each order of what overlaps will do", () => {
    expect(judged(register(), write(1, 0, 9), write(2, 1, 8), read(2, 2, 3), read(1, 4, 5))).toBe("valid");
    expect(judged(register(), read(null, 0, 5), write(1, 1, 2), read(1, 3, 4))).toBe("valid");
  });

  test("a value that is gone does not come back", () => {
    expect(wrong(register(), write(1, 0, 1), write(2, 2, 3), read(1, 4, 5))).toEqual(["stale read", 0, 1, 2]);
    expect(wrong(register(), write(1, 0, 9), write(2, 1, 8), read(1, 2, 3), read(2, 4, 5), read(1, 6, 7)))
      .toEqual(["stale read", 2, 3, 4]); // prettier-ignore
    expect(wrong(register(), write(1, 0, 1), read(null, 2, 3))).toEqual(["stale read", 0, 1]);
    expect(wrong(register(), write(1, 0, 1), read(null, 2, 3), read(1, 4, 5))).toEqual(["stale read", 0, 1]);
    const late = [write(2, 0, 8), write(1, 1, 2), read(2, 3, 4), read(2, 5, 6), read(1, 7, 9)];
    expect(wrong(register(), ...late)).toEqual(["stale read", 1, 2, 4]);
    expect(wrong(register({ init: 0 }), write(1, 0, 1), read(0, 2, 3))).toEqual(["stale read", 0, 1]);
  });

  test("a value that came back is told of in words", () => {
    const told = (...rows: Row[]) => {
      const verdict = judged(register(), ...rows);
      return verdict === undefined || verdict === "valid" ? verdict : verdict.explanation;
    };
    expect(told(write(1, 0, 1), read(undefined, 2, 3))).toBe(
      "client 1's read() → nothing began after client 0's write(1) was over, and nothing put null back.",
    );
    expect(told(write(1, 0, 1), write(2, 2, 3), read(1, 4, 5))).toBe(
      "client 2's read() → 1 began after client 1's write(2) was over, and nothing put 1 back, " +
        "for client 1's write(2) began after client 0's write(1) was over.",
    );
  });

  test("what is read was written", () => {
    expect(wrong(register(), read(1, 0, 1))).toEqual(["read of nothing", 0]);
    expect(wrong(register(), ["write", [1], failed, 0, 1], read(1, 2, 3))).toEqual([
      "read of a failed write",
      0,
      1,
    ]);
    expect(wrong(register(), read(1, 0, 1), write(1, 2, 3))).toEqual(["read from the future", 0, 1]);
  });

  test("a write without an answer may come whenever it was seen, or never", () => {
    expect(judged(register(), write(1, 0), read(null, 1, 2), read(1, 3, 4))).toBe("valid");
    expect(judged(register(), write(1, 0), write(2, 1, 2), read(2, 3, 4))).toBe("valid");
    expect(wrong(register(), write(1, 0), read(1, 1, 2), read(null, 3, 4))).toEqual(["stale read", 1, 2]);
    expect(judged(register(), write(1, 0, 1), read(null, 2), write(2, 3, 4))).toBe("valid");
  });

  test("values that are written again are for the search", () => {
    expect(judged(register(), write(1, 0, 1), write(1, 2, 3))).toBeUndefined();
    expect(judged(register(), write(null, 0, 1))).toBeUndefined();
    expect(judged(register(), ["write", [1], failed, 0, 1], write(1, 2, 3))).toBe("valid");
  });

  test("with keys, other names and objects for values", () => {
    const [x, y] = [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ];
    expect(judged(register(), ["write", ["k", x], null, 0, 1], ["read", ["k"], y, 2, 3])).toBe("valid");
    const put: Row = ["put", ["k", 1], null, 0, 1];
    expect(wrong(keyValue(), put, ["get", ["k"], null, 2, 3])).toEqual(["stale read", 0, 1]);
    expect(judged(keyValue(), put, ["append", ["k", "x"], null, 2, 3])).toBeUndefined();
    expect(wrong(casRegister(), write(1, 0, 1), read(null, 2, 3))).toEqual(["stale read", 0, 1]);
    expect(judged(casRegister(), write(1, 0, 1), ["cas", [1, 2], true, 2, 3])).toBeUndefined();
  });
});

describe("queue", () => {
  const put = (value: unknown, from: number, to?: number): Row => ["enqueue", [value], undefined, from, to];
  const take = (value: unknown, from: number, to?: number): Row => ["dequeue", [], value, from, to];

  test("first in, first out, save for what overlaps", () => {
    expect(judged(queue(), put(1, 0, 2), put(2, 1, 3), take(2, 4, 5), take(1, 6, 7))).toBe("valid");
    expect(judged(queue(), put(1, 0, 1), put(2, 2, 3), take(2, 4, 6), take(1, 5, 7))).toBe("valid");
    expect(judged(queue(), take(1, 0, 3), put(1, 1, 2), take(null, 4, 5))).toBe("valid");
  });

  test("nobody passes another", () => {
    const puts = [put(1, 0, 1), put(2, 2, 3)];
    expect(wrong(queue(), ...puts, take(2, 4, 5), take(1, 6, 7))).toEqual(["out of order", 0, 1, 2, 3]);
    expect(wrong(queue(), ...puts, take(2, 4, 5))).toEqual(["lost value", 0, 1, 2]);
  });

  test("what comes out was put in, and comes out once", () => {
    expect(wrong(queue(), put(1, 0, 1), take(1, 2, 3), take(1, 4, 5))).toEqual(["duplicate", 0, 1, 2]);
    expect(wrong(queue(), put(1, 0, 1), take(7, 2, 3))).toEqual(["value from nowhere", 1]);
    const never: Row = ["enqueue", [7], failed, 0, 1];
    expect(wrong(queue(), never, take(7, 2, 3))).toEqual(["value from nowhere", 0, 1]);
    expect(wrong(queue(), take(1, 0, 1), put(1, 2, 3))).toEqual(["value from the future", 0, 1]);
  });

  test("nothing is found only where nothing was inside for sure", () => {
    expect(wrong(queue(), put(1, 0, 1), take(null, 2, 3), take(1, 4, 5))).toEqual(["missed value", 0, 1, 2]);
    const [one, other] = [put(1, 0, 1), put(2, 3, 4)];
    const handed = [one, take(null, 2, 7), other, take(1, 5, 6), take(2, 8, 9)];
    expect(wrong(queue(), ...handed)).toEqual(["missed value", 0, 1, 2, 3, 4]);
    // Between the two there may have been nothing.
    expect(judged(queue(), one, take(null, 2, 7), put(2, 3, 6), take(1, 4, 5), take(2, 8, 9))).toBe("valid");
  });

  test("a call without an answer may have taken anything", () => {
    const puts = [put(1, 0, 1), put(2, 2, 3)];
    expect(judged(queue(), ...puts, take(2, 4, 5), take(null, 6))).toBeUndefined();
    expect(judged(queue(), ...puts, take(1, 4, 5), take(null, 6))).toBe("valid");
    const missed = [...puts, take(null, 4, 5), take(1, 6, 7), take(2, 8, 9), take(null, 10)];
    expect(wrong(queue(), ...missed)[0]).toBe("missed value");
    expect(judged(queue(), put(1, 0), put(2, 1, 2), take(2, 3, 4))).toBe("valid");
    expect(judged(queue(), put(1, 0), take(1, 1, 2), take(null, 3, 4))).toBe("valid");
  });

  test("values that are put in again, or are nothing, are for the search", () => {
    expect(judged(queue(), put(1, 0, 1), put(1, 2, 3))).toBeUndefined();
    expect(judged(queue(), put(null, 0, 1))).toBeUndefined();
  });
});

describe("stack", () => {
  const put = (value: unknown, from: number, to?: number): Row => ["push", [value], undefined, from, to];
  const take = (value: unknown, from: number, to?: number): Row => ["pop", [], value, from, to];

  test("last in, first out, save for what overlaps", () => {
    expect(judged(stack(), put(1, 0, 1), put(2, 2, 3), take(2, 4, 5), take(1, 6, 7))).toBe("valid");
    expect(judged(stack(), put(1, 0, 2), put(2, 1, 3), take(1, 4, 5), take(2, 6, 7))).toBe("valid");
    expect(judged(stack(), put(1, 0, 1), take(1, 2, 5), put(2, 3, 4), take(null, 6, 8), take(2, 7, 9))).toBe(
      "valid",
    );
  });

  test("nothing is taken from below another", () => {
    const puts = [put(1, 0, 1), put(2, 2, 3)];
    expect(wrong(stack(), ...puts, take(1, 4, 5), take(2, 6, 7))).toEqual(["out of order", 0, 1, 2, 3]);
    expect(wrong(stack(), ...puts, take(1, 4, 5))).toEqual(["out of order", 0, 1, 2]);
  });

  test("three values of which none can be the lowest, though of each two one can", () => {
    const [one, two, three] = [
      [put(1, 0, 1), take(1, 6, 9)],
      [put(2, 2, 4), take(2, 8, 10)],
      [put(3, 3, 7), take(3, 12, 13)],
    ] as const;
    const inOrder = (...rows: Row[]) => rows.sort((a, b) => a[3] - b[3]);
    for (const pair of [inOrder(...one, ...two), inOrder(...one, ...three), inOrder(...two, ...three)]) {
      expect(judged(stack(), ...pair)).toBe("valid");
    }
    const all = inOrder(...one, ...two, ...three);
    expect(wrong(stack(), ...all)).toEqual(["out of order", 0, 1, 2, 3, 4, 5]);
  });

  test("nothing is found only where nothing was inside for sure", () => {
    expect(wrong(stack(), put(1, 0, 1), take(null, 2, 3), take(1, 4, 5))).toEqual(["missed value", 0, 1, 2]);
    expect(wrong(stack(), put(1, 0, 1), take(1, 2, 3), take(1, 4, 5))).toEqual(["duplicate", 0, 1, 2]);
  });

  test("a call without an answer may have taken anything", () => {
    const puts = [put(1, 0, 1), put(2, 2, 3)];
    expect(judged(stack(), ...puts, take(1, 4, 5), take(null, 6))).toBeUndefined();
    expect(wrong(stack(), ...puts, take(1, 4, 5), take(2, 6, 7), take(null, 8))[0]).toBe("out of order");
  });
});

describe("set", () => {
  const add = (element: unknown, from: number, to?: number, answer?: unknown): Row => [
    "add",
    [element],
    answer,
    from,
    to,
  ];
  const remove = (element: unknown, from: number, to?: number, answer?: unknown): Row => [
    "remove",
    [element],
    answer,
    from,
    to,
  ];
  const asks = (element: unknown, answer: boolean, from: number, to: number): Row => [
    "contains",
    [element],
    answer,
    from,
    to,
  ];
  const read = (elements: unknown, from: number, to: number): Row => ["read", [], elements, from, to];

  test("an element is there from when it is added until it is removed", () => {
    expect(judged(set(), add(1, 0, 1), asks(1, true, 2, 3), remove(1, 4, 5), asks(1, false, 6, 7))).toBe(
      "valid",
    );
    expect(wrong(set(), add(1, 0, 1), asks(1, false, 2, 3))).toEqual(["lost element", 0, 1]);
    const gone = [add(1, 0, 1), asks(1, true, 2, 3), remove(1, 4, 5), asks(1, true, 6, 7)];
    expect(wrong(set(), ...gone)).toEqual(["stale read", 0, 2, 3]);
    expect(wrong(set(), asks(1, true, 0, 1))).toEqual(["element from nowhere", 0]);
    expect(wrong(set(), asks(1, true, 0, 1), add(1, 2, 3))).toEqual(["element from the future", 0, 1]);
  });

  test("it may have been removed in vain, unless that says otherwise", () => {
    expect(judged(set(), remove(1, 0, 3), add(1, 1, 2), asks(1, true, 4, 5))).toBe("valid");
    expect(wrong(set(), remove(1, 0, 3, true), add(1, 1, 2), asks(1, true, 4, 5))).toEqual([
      "stale read",
      0,
      2,
    ]);
    expect(wrong(set(), add(1, 0, 1), remove(1, 2, 3, false))).toEqual(["lost element", 0, 1]);
    expect(wrong(set(), remove(1, 0, 1, true))).toEqual(["element from nowhere", 0]);
    expect(judged(set(), add(1, 0, 1, true), add(1, 2, 3, false))).toBe("valid");
  });

  test("of a set that grows, readers see more and more", () => {
    expect(judged(set(), add(1, 0, 5), add(2, 1, 6), read([2], 2, 3), read([1, 2], 4, 7))).toBe("valid");
    const fork = [add(1, 0, 9), add(2, 1, 8), read([1], 2, 4), read(new Set([2]), 3, 5)];
    expect(wrong(set(), ...fork)).toEqual(["long fork", 2, 3]);
    expect(wrong(set(), add(1, 0, 9), read([1], 1, 2), read([], 3, 4))).toEqual(["lost element", 1, 2]);
    expect(wrong(set(), add(1, 0, 1), read([], 2, 3))).toEqual(["lost element", 0, 1]);
    expect(wrong(set(), read([1], 0, 1), add(1, 2, 3))).toEqual(["element from the future", 0, 1]);
    expect(wrong(set(), add(1, 0, 1), read([1, 2], 2, 3))).toEqual(["element from nowhere", 1]);
    const reversed = [add(1, 0, 1), add(2, 2, 3), read([2], 4, 7), asks(1, true, 5, 6)];
    expect(wrong(set(), ...reversed)[0]).toBe("lost element");
    expect(judged(set(), add(1, 0), read([], 1, 2))).toBe("valid");
  });

  test("what is added again, or both removed and read as a whole, is for the search", () => {
    expect(judged(set(), add(1, 0, 1), add(1, 2, 3))).toBeUndefined();
    expect(judged(set(), add(1, 0, 1), remove(1, 2, 3), read([], 4, 5))).toBeUndefined();
    expect(judged(set(), add(1, 0, 1), read(null, 2, 3))).toBeUndefined();
  });
});

describe("a hundred thousand operations, one after the other, need no search", () => {
  const count = 50_000;
  const values = Array.from({ length: count }, (_, value) => value);
  const puts = (name: string) => values.map((value): Row => [name, [value], null, 2 * value, 2 * value + 1]);
  const takes = (name: string, order: number[]) =>
    order.map((value, place): Row => [name, [], value, 2 * (count + place), 2 * (count + place) + 1]);

  test("queue", () => {
    expect(queue().shortcut!(history(puts("enqueue")))).toBe("valid");
    expect(queue().shortcut!(history([...puts("enqueue"), ...takes("dequeue", values)]))).toBe("valid");
  });

  test("stack", () => {
    const reversed = values.toReversed();
    expect(stack().shortcut!(history(puts("push")))).toBe("valid");
    expect(stack().shortcut!(history([...puts("push"), ...takes("pop", reversed)]))).toBe("valid");
    [reversed[7], reversed[8]] = [reversed[8]!, reversed[7]!];
    const verdict = stack().shortcut!(history([...puts("push"), ...takes("pop", reversed)]));
    expect(verdict).toMatchObject({ name: "out of order" });
  });
});
