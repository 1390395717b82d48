import { isLockstepError } from "lockstep/base";
import {
  arrange,
  checkChange,
  checkQuery,
  checkSessionOptions,
  entryAfter,
  firstFailure,
  type Change,
  type Condition,
  type Entry,
  type Guarantees,
  type Query,
  type View,
} from "lockstep/store";
import { MemoryStore } from "lockstep/memory";
import { describe, expect, test } from "vitest";
import { byAge, copied } from "../../src/store/rules.js";

const guarantees: Guarantees = {
  ...new MemoryStore().guarantees,
  engine: "small",
  maxOperations: 3,
  maxValueBytes: 4,
  ttl: { minMs: 100, maxMs: 5000, grainMs: 1 },
};

function entry(key: string, created: bigint, modified = created, session?: string): Entry {
  return { key, value: new Uint8Array([1]), created, modified, session };
}

const view: View = {
  get: (key) => (key === "there" ? entry("there", 3n, 5n) : undefined),
  isAlive: (session) => session === "living",
};

const value = new Uint8Array(4);

describe("firstFailure", () => {
  const right: Condition[] = [
    { kind: "absent", key: "gone" },
    { kind: "created", key: "there", revision: 3n },
    { kind: "modified", key: "there", revision: 5n },
    { kind: "alive", session: "living" },
  ];
  const wrong: Condition[] = [
    { kind: "absent", key: "there" },
    { kind: "created", key: "there", revision: 5n },
    { kind: "modified", key: "there", revision: 3n },
    { kind: "created", key: "gone", revision: 3n },
    { kind: "modified", key: "gone", revision: 5n },
    { kind: "alive", session: "dead" },
  ];

  test("finds none when all hold", () => {
    expect(firstFailure({ when: right, then: [] }, view)).toBeUndefined();
    expect(firstFailure({ then: [] }, view)).toBeUndefined();
  });

  test("finds the one that does not hold, and the first of several", () => {
    for (const condition of wrong) {
      expect(firstFailure({ when: [...right, condition, ...wrong], then: [] }, view)).toBe(condition);
    }
  });

  test("holds a put to the life of its session, after all that was said", () => {
    const put = { kind: "put", key: "a", value, session: "dead" } as const;
    expect(firstFailure({ then: [put] }, view)).toEqual({ kind: "alive", session: "dead" });
    expect(firstFailure({ when: wrong.slice(0, 1), then: [put] }, view)).toBe(wrong[0]);
    expect(firstFailure({ then: [{ ...put, session: "living" }] }, view)).toBeUndefined();
    expect(firstFailure({ then: [{ ...put, session: undefined }] }, view)).toBeUndefined();
  });
});

describe("entries", () => {
  test("keep their birth when they are written again, and belong to whom the last put says", () => {
    const put = { kind: "put", key: "a", value, session: "living" } as const;
    expect(entryAfter(put, undefined, 7n)).toEqual({
      key: "a",
      value,
      created: 7n,
      modified: 7n,
      session: "living",
    });
    expect(entryAfter({ kind: "put", key: "a", value }, entry("a", 3n, 5n, "living"), 7n)).toEqual({
      key: "a",
      value,
      created: 3n,
      modified: 7n,
      session: undefined,
    });
  });

  test("are copied with their values, also where the value is a Buffer", () => {
    for (const original of [new Uint8Array([1, 2]), Buffer.from([1, 2])]) {
      const copy = copied({ ...entry("a", 1n), value: original });
      original.fill(0);
      expect([...copy.value]).toEqual([1, 2]);
    }
  });

  test("are arranged as the query wants them", () => {
    const keys = (query: Query) =>
      arrange([entry("a", 5n), entry("b", 3n), entry("c", 3n), entry("d", 1n)], query)
        .map(({ key }) => key)
        .join("");
    expect(keys({ prefix: "" })).toBe("abcd");
    expect(keys({ prefix: "", order: "key", limit: 3 })).toBe("abc");
    expect(keys({ prefix: "", order: "created" })).toBe("dbca");
    expect(keys({ prefix: "", order: "created", limit: 2 })).toBe("db");
    expect(keys({ prefix: "", limit: 9 })).toBe("abcd");
  });

  test("of one age are ordered by the bytes of their keys", () => {
    const sorted = ["\u{1f512}", "\uffff", "b", "a"].map((key) => entry(key, 1n)).sort(byAge);
    expect(sorted.map(({ key }) => key)).toEqual(["a", "b", "\uffff", "\u{1f512}"]);
  });
});

describe("input", () => {
  const put = (key: string) => ({ kind: "put", key, value }) as const;

  test("that makes sense passes", () => {
    checkChange({ then: [] }, guarantees);
    checkChange({ when: [{ kind: "alive", session: "any" }], then: [put("a"), put("b")] }, guarantees);
    checkChange({ then: [put("a")], read: { prefix: "", limit: 1 } }, guarantees);
    checkQuery({ prefix: "" });
    checkQuery({ prefix: "a", limit: 1, order: "created", sessions: true });
    for (const ttlMs of [100, 100.5, 5000]) checkSessionOptions({ ttlMs }, guarantees);
  });

  test("that makes none is refused, and the message says what is wrong with it", () => {
    const cases: [unknown, string][] = [
      [{ then: {} }, "`then` must be a list"],
      [{ when: {}, then: [] }, "`when` must be a list"],
      [
        { then: [put("a"), put("b"), put("c"), put("d")] },
        "4 conditions and writes, but small takes at most 3",
      ],
      [{ then: [put("a"), put("b"), put("a")] }, 'it writes "a" twice'],
      [{ then: [{ ...put("a"), value: new Uint8Array(5) }] }, "has 5 bytes, but small takes at most 4"],
      [{ then: [{ ...put("a"), value: "text" }] }, 'the value of "a" must be a Uint8Array'],
      [{ then: [{ ...put("a"), kind: "set" }] }, '"set" is no kind of write'],
      [{ when: [{ kind: "present", key: "a" }], then: [] }, '"present" is no kind of condition'],
      [{ when: [{ kind: "created", key: "a", revision: 1 }], then: [] }, "must be a bigint"],
      [{ then: [put("")] }, "the key must not be empty"],
      [{ then: [], read: { prefix: "", limit: 0 } }, "limit must be a whole number above 0, not 0"],
    ];
    for (const [change, message] of cases) {
      const error = caught(() => checkChange(change as Change, guarantees));
      expect(isLockstepError(error, "bad-input")).toBe(true);
      expect((error as Error).message).toContain(message);
    }
  });

  test("that asks for another time to live than the engine keeps is refused", () => {
    for (const ttlMs of [99, 5001, NaN, Infinity]) {
      const error = caught(() => checkSessionOptions({ ttlMs }, guarantees));
      expect(isLockstepError(error, "bad-input")).toBe(true);
    }
  });
});

function caught(body: () => void): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}
