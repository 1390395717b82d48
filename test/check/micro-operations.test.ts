// Transactions whose values are no JSON, and answers that are not what was called.
import { check, type TransactionLevel, type Operation, type Workload } from "lockstep/check";
import { describe, expect, test } from "vitest";

type Micro = readonly [action: string, key: unknown, value?: unknown];
type Step = readonly [asked: readonly Micro[], outcome: "ok" | "fail", done?: readonly unknown[]];

function history(...steps: readonly Step[]): { operations: Operation[] } {
  const operations = steps.map(([asked, outcome, done], at): Operation => {
    const result = outcome === "ok" ? (done ?? asked) : undefined;
    return { client: at, name: "txn", args: [asked], result, outcome, invoked: 2 * at, returned: 2 * at + 1 };
  });
  return { operations };
}

/** What is said of the anomaly of that name. */
function explained(name: string, steps: readonly Step[], level: TransactionLevel, workload: Workload) {
  const verdict = check(history(...steps)).keeps(level, workload);
  if (verdict.is !== "violation") throw new Error(verdict.is);
  return verdict.anomalies.find((anomaly) => anomaly.name.startsWith(name))?.explanation;
}

describe("bigints are told of", () => {
  const failed: Step = [[["append", "x", 1n]], "fail"];
  const appended: Step = [[["append", "x", 2n]], "ok"];
  const bothAppended: Step = [
    [
      ["append", "x", 1n],
      ["append", "x", 2n],
    ],
    "ok",
  ];
  const readsOf = (...values: readonly unknown[]): Step => [[["r", "x", null]], "ok", [["r", "x", values]]];
  const read = (value: unknown): Step => [[["r", "x", null]], "ok", [["r", "x", value]]];
  test.each<[string, TransactionLevel, Workload, Step[], string]>([
    ["G1a", "read-committed", "rw-register", [[[["w", "x", 1n]], "fail"], read(1n)], "saw 1n, whose"],
    [
      "G1b",
      "read-committed",
      "rw-register",
      [
        [
          [
            ["w", "x", 1n],
            ["w", "x", 2n],
          ],
          "ok",
        ],
        read(1n),
      ],
      "saw 1n, which the transaction that wrote it wrote over again",
    ],
    [
      "cyclic versions",
      "read-committed",
      "rw-register",
      [
        [
          [
            ["r", "x"],
            ["w", "x", 1n],
          ],
          "ok",
          [
            ["r", "x", 2n],
            ["w", "x", 1n],
          ],
        ],
        [
          [
            ["r", "x"],
            ["w", "x", 2n],
          ],
          "ok",
          [
            ["r", "x", 1n],
            ["w", "x", 2n],
          ],
        ],
      ],
      "Each of 1n, 2n was written by",
    ],
    [
      "dirty update",
      "read-committed",
      "list-append",
      [failed, appended, readsOf(1n, 2n)],
      "client 1 appended 2n to a list that held 1n, whose transaction had failed",
    ],
    [
      "incompatible order",
      "read-committed",
      "list-append",
      [bothAppended, readsOf(2n, 1n)],
      "client 0 appended 1n before 2n, and the list does not hold them so",
    ],
    [
      "G-single",
      "serializable",
      "list-append",
      [
        [
          [
            ["append", 5n, 1n],
            ["append", "y", 1n],
          ],
          "ok",
        ],
        [
          [
            ["r", 5n],
            ["r", "y"],
          ],
          "ok",
          [
            ["r", 5n, []],
            ["r", "y", [1n]],
          ],
        ],
      ],
      'r("y") → [1n] saw 1n, which client 0 appended; client 1\'s r(5n) → [] did not see 1n',
    ],
  ])("%s", (name, level, workload, steps, text) => {
    expect(explained(name, steps, level, workload)).toContain(text);
  });
});

describe("an answer says what was called, and what was read", () => {
  const asked: Micro[] = [
    ["append", "x", { a: 1 }],
    ["r", "y", null],
  ];
  const judge = (done: readonly unknown[]) => () =>
    check(history([asked, "ok", done])).keeps("serializable", "list-append");

  test("so it may say it in its own words", () => {
    expect(
      judge([
        ["append", "x", { a: 1 }],
        ["r", "y", []],
      ])().is,
    ).toBe("valid");
    expect(
      judge([
        ["append", "x", { a: 1 }],
        ["r", "y"],
      ])().is,
    ).toBe("valid");
  });

  test.each<[string, unknown[]]>([
    [
      "another value",
      [
        ["append", "x", { a: 2 }],
        ["r", "y", []],
      ],
    ],
    [
      "another key",
      [
        ["append", "z", { a: 1 }],
        ["r", "y", []],
      ],
    ],
    [
      "another key read",
      [
        ["append", "x", { a: 1 }],
        ["r", "z", []],
      ],
    ],
    [
      "another deed",
      [
        ["append", "x", { a: 1 }],
        ["append", "y", 1],
      ],
    ],
    [
      "a read only",
      [
        ["r", "x", null],
        ["r", "y", []],
      ],
    ],
    ["less", [["append", "x", { a: 1 }]]],
    [
      "more",
      [
        ["append", "x", { a: 1 }],
        ["r", "y", []],
        ["r", "y", []],
      ],
    ],
  ])("%s is refused", (_, done) => {
    expect(judge(done)).toThrow("its answer is the same list with what was read");
  });

  test("a call that is no list is refused, too", () => {
    const [operation] = history([asked, "ok"]).operations;
    const broken = { operations: [{ ...operation!, args: [[null, null]] }] };
    expect(() => check(broken).keeps("serializable", "list-append")).toThrow("is txn(");
  });
});
