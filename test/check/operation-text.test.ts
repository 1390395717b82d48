import type { Operation } from "lockstep/check";
import { expect, test } from "vitest";
import { operationText } from "../../src/check/operation-text.js";

const usual = { client: "a", outcome: "ok", invoked: 0, returned: 1 } as const;

test.each<[text: string, operation: Partial<Operation>]>([
  ['write("x", 1)', { name: "write", args: ["x", 1] }],
  [
    "r x 1, w y two",
    {
      args: [
        [
          ["r", "x", null],
          ["w", "y", "two"],
        ],
      ],
      result: [
        ["r", "x", 1],
        ["w", "y", "two"],
      ],
    },
  ],
  ["r x null", { args: [[["r", "x", null]]], result: [["r", "x", null]] }],
  [
    "r x, append 7 1 → ?",
    {
      args: [
        [
          ["r", "x", null],
          ["append", 7, 1],
        ],
      ],
      outcome: "unknown",
      returned: Infinity,
    },
  ],
  ["r x failed", { args: [[["r", "x"]]], outcome: "fail" }],
])("%s", (text, operation) => {
  expect(operationText({ ...usual, name: "txn", args: [], result: undefined, ...operation })).toBe(text);
});
