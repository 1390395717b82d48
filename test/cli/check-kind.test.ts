import { describe, expect, test } from "vitest";
import { readHistory } from "lockstep/check";
import { kindOf, unwrittenValue } from "../../src/cli/check-kind.js";

/** What one process did, call by call: Jepsen's `:f`, what it was called with, and what it was answered. */
async function historyOf(...calls: [f: string, value: string, answer: string][]) {
  const events = calls.map(
    ([f, value, answer]) =>
      `{:process 0 :type :invoke ${f} :value ${value}} {:process 0 :type :ok ${f} :value ${answer}}`,
  );
  return readHistory(events.join("\n"), { format: "edn" });
}

describe("what a history is one of is seen by what was done", () => {
  test.each<[string, [f: string, value: string, answer: string][]]>([
    ["register", [[":f :read", "nil", "nil"]]],
    [
      "register",
      [
        [":f :read", "nil", "{:x 1}"],
        [":f :write", "{:x 1}", "nil"],
      ],
    ],
    [
      "cas-register",
      [
        [":f :read", "nil", "1"],
        [":f :cas", "[1 2]", "nil"],
      ],
    ],
    [
      "list-append",
      [
        [":f :txn", "[[:r 1 nil]]", "[[:r 1 [2]]]"],
        [":f :txn", "[[:append 1 2]]", "[[:append 1 2]]"],
      ],
    ],
    ["multi-register", [[":f :read :key [1 2]", "nil", "{1 2}"]]],
    ["rw-register", [[":f :txn", "[[:r 1 nil] [:w 1 2]]", "[[:r 1 2] [:w 1 2]]"]]],
    ["bank", [[":f :read", "nil", "{0 10}"]]],
    [
      "bank",
      [
        [":f :transfer", "{:from 0 :to 1 :amount 2}", "nil"],
        [":f :read", "nil", "nil"],
      ],
    ],
    [
      "set",
      [
        [":f :add", "1", "1"],
        [":f :read", "nil", "#{1}"],
      ],
    ],
    [
      "set",
      [
        [":f :add", "1", "1"],
        [":f :read", "nil", "[1]"],
      ],
    ],
    ["set", [[":f :contains", "1", "true"]]],
    [
      "counter",
      [
        [":f :add", "1", "1"],
        [":f :read", "nil", "1"],
      ],
    ],
    ["counter", [[":f :increment", "nil", "nil"]]],
    [
      "kv",
      [
        [":f :put :key 1", "2", "2"],
        [":f :get :key 1", "nil", "2"],
      ],
    ],
    [
      "list",
      [
        [":f :append", "1", "1"],
        [":f :read", "nil", "[1]"],
      ],
    ],
    [
      "queue",
      [
        [":f :enqueue", "1", "1"],
        [":f :dequeue", "nil", "1"],
      ],
    ],
    [
      "stack",
      [
        [":f :push", "1", "1"],
        [":f :pop", "nil", "1"],
      ],
    ],
    [
      "mutex",
      [
        [":f :acquire", "nil", "nil"],
        [":f :release", "nil", "nil"],
      ],
    ],
    [
      "fenced-mutex",
      [
        [":f :acquire", "nil", "7"],
        [":f :release", "nil", "nil"],
      ],
    ],
  ])("%s, %#", async (kind, calls) => {
    expect(kindOf(await historyOf(...calls))).toBe(kind);
  });

  test("or not at all", async () => {
    expect(kindOf(await historyOf([":f :read", "nil", "1"], [":f :enqueue", "1", "1"]))).toBeUndefined();
    expect(kindOf(await historyOf([":f :fly", "nil", "nil"]))).toBeUndefined();
  });
});

describe("keys begin as the empty string", () => {
  const seen: [f: string, value: string, answer: string] = [":f :get :key 1", "nil", '""'];

  test("if that was read, and can come from nowhere else", async () => {
    expect(unwrittenValue(await historyOf(seen, [":f :put :key 1", '"a"', '"a"']))).toBe("");
  });

  test.each<[f: string, value: string, answer: string]>([
    [":f :put :key 1", '""', '""'],
    [":f :get :key 1", "nil", "nil"],
  ])("unless %s %s answers %s", async (...call) => {
    expect(unwrittenValue(await historyOf(call, seen))).toBeNull();
    expect(unwrittenValue(await historyOf(seen, call))).toBeNull();
  });

  test("and not because something else was", async () => {
    expect(unwrittenValue(await historyOf([":f :get :key 1", "nil", '"a"']))).toBeNull();
    expect(unwrittenValue(await historyOf([":f :put :key 1", "1", "1"]))).toBeNull();
  });
});
