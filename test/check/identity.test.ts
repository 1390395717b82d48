// What tells one value from another.
import { check, register, refused, type Model, type Operation } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { identity, isSame } from "../../src/check/identity.js";

class Hidden {
  readonly #value: number;
  constructor(value: number) {
    this.#value = value;
  }
  get value(): number {
    return this.#value;
  }
}

class Maybe {
  readonly field = undefined;
}

class Price {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

class Told extends Hidden {
  toJSON(): number {
    return this.value;
  }
}

/** Each row holds values that are the same; and those of two rows never are. */
const rows: readonly (readonly unknown[])[] = [
  [null, undefined],
  [0, -0],
  [NaN],
  [Infinity],
  [1],
  [1n],
  ["1"],
  [true],
  ["true"],
  [""],
  ["\u0000[1]"],
  ["\u0000\u0000[1]"],
  ['\u0000"a"'],
  ["\u0000a"],
  [["a"]],
  [[1], [1]],
  [["1"]],
  [[1n]],
  [["1n"]],
  [["1", "2"]],
  [["1,2"]],
  // A hole is nothing, too.
  [new Array(1), [undefined], [null]],
  [[null, null], new Array(2)],
  [[]],
  [{}, { a: undefined }, Object.create(null), new Map(), new Maybe()],
  [{ a: null }, new Map([["a", undefined]])],
  [
    { a: 1, b: [2] },
    { b: [2], a: 1 },
    new Map<string, unknown>([
      ["b", [2]],
      ["a", 1],
    ]),
  ],
  [new Map([[1, "a"]])],
  [{ 1: "a" }],
  [new Set([1, 2]), new Set([2, 1])],
  [new Set([1])],
  [new Set([[1]]), new Set([[1]])],
  [new Uint8Array([1, 2]), Buffer.from([1, 2])],
  [new Uint8Array([1])],
  [new Int8Array([1])],
  [new BigInt64Array([1n])],
  [new Date(1), new Date(1)],
  [new Date(2)],
  [{ at: new Date(1) }],
  [{ at: new Date(1).toJSON() }],
  [{ at: new Date(2) }],
  [new URL("http://a/"), new URL("http://a/")],
  [new URL("http://b/")],
  [new Price(1), new Price(1), { cents: 1 }],
  [new Price(2)],
  [new Told(1), new Told(1)],
  [new Told(2)],
  [Symbol.for("a")],
  [Symbol("a")],
];

test("two values are the same if their contents are", () => {
  for (const [place, row] of rows.entries()) {
    for (const value of row) {
      for (const [at, others] of rows.entries()) {
        for (const other of others) {
          expect(isSame(value, other), `${place} and ${at}`).toBe(place === at);
          expect(new Set([identity(value), identity(other)]).size).toBe(place === at ? 1 : 2);
        }
      }
    }
  }
});

describe("what does not show its contents is refused", () => {
  const circle: unknown[] = [];
  circle.push([circle, circle]);
  let deep: unknown = 1;
  for (let depth = 0; depth < 20_000; depth++) deep = [deep];
  const same = {
    toJSON() {
      return this;
    },
  };
  test.each<[string, unknown, string]>([
    ["private fields", new Hidden(1), "what is in an object of Hidden cannot be told from another"],
    ["a pattern", /a/, "an object of RegExp"],
    ["an error", Object.assign(new Error("a"), { code: 1 }), "an object of Error"],
    ["raw memory", new ArrayBuffer(1), "an object of ArrayBuffer"],
    ["a view of it", new DataView(new ArrayBuffer(1)), "an object of DataView"],
    ["a boxed number", Object(1), "an object of Number"],
    ["a promise", Promise.resolve(1), "an object of Promise"],
    [
      "no constructor",
      Object.create(Object.create(Object.create(null) as object) as object),
      "an object cannot",
    ],
    ["a function", () => 1, "a function cannot be told from another: record what it stands for instead"],
    ["a symbol inside", [Symbol("a")], "a symbol cannot be told from another"],
    ["a function inside", { run: () => 1 }, "a function cannot be told from another"],
    ["a circle", circle, "a circle, or what nests too deep, cannot be told"],
    ["great depth", deep, "a circle, or what nests too deep, cannot be told"],
    ["itself as JSON", same, "a circle"],
  ])("%s", (_, value, message) => {
    expect(() => identity(value)).toThrow(expect.objectContaining({ code: "bad-input" }));
    expect(() => identity({ inside: value })).toThrow(message);
    expect(isSame(value, value)).toBe(true);
  });

  test("but not what stands twice in a value, and in no circle", () => {
    const part = { a: [1] };
    expect(isSame([part, part, { part }], [{ a: [1] }, { a: [1] }, { part: { a: [1] } }])).toBe(true);
  });
});

describe("a history of such values", () => {
  const call = (at: number, name: string, args: unknown[], result?: unknown): Operation => {
    return { client: 0, name, args, result, outcome: "ok", invoked: at, returned: at + 1 };
  };

  test("is judged by what is in them", () => {
    const operations = [call(0, "write", [new Date(1)]), call(2, "read", [], new Date(2))];
    expect(check({ operations }).linearizable(register()).is).toBe("violation");
  });

  test("is refused if nobody can see that", () => {
    const operations = [call(0, "write", [new Hidden(1)]), call(2, "read", [], new Hidden(2))];
    expect(() => check({ operations }).linearizable(register())).toThrow("an object of Hidden");
  });

  test("is judged by an object of one's own that says which are the same", () => {
    const counts: Model<Hidden> = {
      name: "counts",
      init: new Hidden(0),
      step(state, { name, result }) {
        if (name === "add") return new Hidden(state.value + 1);
        return result === state.value ? state : refused;
      },
    };
    const operations = [
      call(0, "add", []),
      call(2, "read", [], 1),
      call(4, "add", []),
      call(6, "read", [], 2),
    ];
    expect(() => check({ operations }).linearizable(counts)).toThrow("an object of Hidden");
    const equal = (a: Hidden, b: Hidden) => a.value === b.value;
    expect(check({ operations }).linearizable({ ...counts, equal }).is).toBe("valid");
    expect(check({ operations: operations.slice(1) }).linearizable({ ...counts, equal }).is).toBe(
      "violation",
    );
  });
});
