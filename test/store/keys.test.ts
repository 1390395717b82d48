import fc from "fast-check";
import { isLockstepError } from "lockstep/base";
import { describe, expect, test } from "vitest";
import {
  checkKey,
  checkName,
  checkPrefix,
  compareKeys,
  escapeSegment,
  maxKeyBytes,
  maxNameBytes,
  unescapeSegment,
} from "../../src/store/keys.js";

/** Any text, and often the characters whose order differs between UTF-16 and UTF-8. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("a", "/", "%", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"),
  ),
});

function verdict(check: () => void): string {
  try {
    check();
    return "fine";
  } catch (error) {
    if (isLockstepError(error, "bad-input")) return "bad-input";
    throw error;
  }
}

describe("compareKeys", () => {
  test("orders as the UTF-8 bytes do", () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (start, a, b) => {
        for (const [left, right] of [
          [a, b],
          [start + a, start + b],
          [start, start + a],
        ] as const) {
          const byBytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
          expect(Math.sign(compareKeys(left, right))).toBe(byBytes);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("puts an astral character after every other, unlike JavaScript", () => {
    expect(["\uffff", "\u{1f512}"].sort()).toEqual(["\u{1f512}", "\uffff"]);
    expect(compareKeys("\u{1f512}", "\uffff")).toBe(1);
    expect(compareKeys("\uffff", "\u{1f512}")).toBe(-1);
    expect(compareKeys("\u{1f512}", "\u{1f512}")).toBe(0);
  });
});

describe("a segment", () => {
  test("is the same after it was escaped and unescaped", () => {
    const nasty = fc.string({ unit: fc.constantFrom("%", "/", "2", "5", "F", "f", "a") });
    fc.assert(
      fc.property(fc.oneof(anyText, nasty), (name) => {
        const segment = escapeSegment(name);
        expect(segment).not.toContain("/");
        expect(unescapeSegment(segment)).toBe(name);
      }),
      { numRuns: 2000 },
    );
  });

  test("differs from that of every other name", () => {
    const nasty = fc.string({ unit: fc.constantFrom("%", "/", "2", "5", "F"), maxLength: 6 });
    fc.assert(
      fc.property(nasty, nasty, (a, b) => {
        expect(escapeSegment(a) === escapeSegment(b)).toBe(a === b);
      }),
    );
  });

  test("of the longest name, all of it escaped, leaves room in a key for a recipe's path", () => {
    const longest = escapeSegment("/".repeat(maxNameBytes));
    expect(maxKeyBytes - Buffer.byteLength(longest)).toBeGreaterThanOrEqual(100);
  });
});

describe("a key", () => {
  const bad = ["", "a\u0000", "\n", "\u001f", "\u007f", "\ud83d", "a\udd12b", "\udd12\ud83d"];
  const good = ["a", " ", "a/b", "%", "\u0080", "\u00a0", "é", "\ud7ff", "\uffff", "\u{1f512}"];

  test("is a non-empty text of whole characters without controls", () => {
    for (const key of good)
      expect(
        verdict(() => checkKey(key)),
        JSON.stringify(key),
      ).toBe("fine");
    for (const key of bad)
      expect(
        verdict(() => checkKey(key)),
        JSON.stringify(key),
      ).toBe("bad-input");
    for (const key of [undefined, null, 7, {}, ["a"]]) {
      expect(verdict(() => checkKey(key as string))).toBe("bad-input");
    }
  });

  test("is measured in bytes", () => {
    for (const character of ["a", "é", "€", "\u{1f512}"]) {
      const size = Buffer.byteLength(character);
      const fits = character.repeat(Math.floor(maxKeyBytes / size));
      expect(verdict(() => checkKey(fits))).toBe("fine");
      expect(verdict(() => checkKey(fits + character))).toBe("bad-input");
    }
  });

  test("is judged like a name, but a name is shorter and a prefix may be empty", () => {
    for (const name of good) {
      expect(verdict(() => checkName("the name", name))).toBe("fine");
      expect(verdict(() => checkPrefix("the prefix", name))).toBe("fine");
    }
    for (const name of bad) expect(verdict(() => checkName("the name", name))).toBe("bad-input");
    expect(verdict(() => checkPrefix("the prefix", ""))).toBe("fine");
    expect(verdict(() => checkPrefix("the prefix", "\n"))).toBe("bad-input");
    expect(verdict(() => checkName("the name", "é".repeat(maxNameBytes / 2)))).toBe("fine");
    expect(verdict(() => checkName("the name", "é".repeat(maxNameBytes / 2) + "x"))).toBe("bad-input");
  });

  test("that is refused is shown to the caller, who is told what would do", () => {
    expect(() => checkName("the lock's name", "a\nb")).toThrow(
      `the lock's name has a control character: "a\\nb"; give a string of 1 to ${maxNameBytes} bytes`,
    );
  });
});
