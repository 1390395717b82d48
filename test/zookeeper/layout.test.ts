import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkKey } from "../../src/store/keys.js";
import { isLeaf, Layout } from "../../src/engines/zookeeper/layout.js";

const layout = new Layout("app");
const keyArb = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 60 }).filter(isKey),
  fc
    .array(fc.constantFrom("/", "a", "%", "%%", "%00", "k:", "d:", ".", "é", "\u{1f512}", "\uffff"))
    .map((parts) => ["x", ...parts].join("")),
);

function isKey(text: string): boolean {
  try {
    checkKey(text);
    return true;
  } catch {
    return false;
  }
}

/** As Java's client and server look at a path. */
function isValid(path: string): boolean {
  const names = path.split("/").slice(1);
  const units = Array.from({ length: path.length }, (_, i) => path.charCodeAt(i));
  const isForbidden = (unit: number) =>
    unit < 0x20 || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
  return names.every((name) => !["", ".", ".."].includes(name)) && !units.some(isForbidden);
}

describe("a key's place in the tree", () => {
  test("is valid, its own, and tells the key", () => {
    fc.assert(
      fc.property(keyArb, keyArb, (a, b) => {
        expect(isValid(layout.pathOf(a))).toBe(true);
        expect(layout.keyAt(layout.pathOf(a))).toBe(a);
        expect(layout.pathOf(a) === layout.pathOf(b)).toBe(a === b);
      }),
    );
  });

  test("is in the directory of each of its prefixes", () => {
    fc.assert(
      fc.property(keyArb, fc.nat(), (key, cut) => {
        const prefix = key.slice(0, cut % (key.length + 1));
        expect(layout.pathOf(key).startsWith(`${layout.directoryOf(prefix)}/`)).toBe(true);
        expect(layout.directoriesOf(key).every((path) => layout.pathOf(key).startsWith(`${path}/`))).toBe(
          true,
        );
      }),
    );
  });

  test("is a leaf, and its directories are none, whatever they are called", () => {
    expect(layout.pathOf("lock/a/7")).toBe("/app/keys/d:lock/d:a/k:7");
    for (const key of ["k:/k:", "d:/d:", "k:a/b"]) {
      const names = layout.pathOf(key).split("/").slice(3);
      expect(names.map(isLeaf)).toEqual([...names.slice(1).map(() => false), true]);
    }
  });

  test.each(["", "/", "a//b", "a/", "..", "a/.", "zookeeper", "zookeeper/a", "a\u0000", "\ue000"])(
    "is not to be had in a namespace that is no path: %j",
    (namespace) => {
      expect(() => new Layout(namespace)).toThrow(expect.objectContaining({ code: "bad-input" }) as Error);
    },
  );
});
