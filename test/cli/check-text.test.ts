import { describe, expect, test } from "vitest";
import { readHistory, type Anomaly, type Operation, type Verdict } from "lockstep/check";
import type { Finding } from "../../src/cli/check-question.js";
import { checkJson } from "../../src/cli/check-json.js";
import { checkText } from "../../src/cli/check-text.js";

const steps = ["w x 1", "-----", "r x 1", "=====", "w y \u001b[2J"];
const history = await readHistory(steps.join("\n"));
const [first, second, third] = history.operations as [Operation, Operation, Operation];

function findingOf(verdict: Verdict): Finding {
  return { file: "f", format: "sessions", history, object: "rw-register", assumptions: [], verdict };
}

function violation(...anomalies: [Anomaly, ...Anomaly[]]): Verdict {
  return { is: "violation", level: "serializable", anomalies };
}

const anomaly: Anomaly = { name: "G1c", explanation: "It cannot be.", operations: [first, second], key: "x" };

describe("the text for people", () => {
  test("shows a cycle, and whatever else it rests on", () => {
    const cycle = [
      { from: first, to: second, relation: "wr", because: "it read 1" },
      { from: second, to: first, relation: "session", because: "of one client" },
    ];
    const text = checkText(findingOf(violation({ ...anomaly, cycle })));
    expect(text).toBe(`violation: f breaks serializable
  3 operations of 2 clients, read as sessions, judged as rw-register

G1c, key "x"
  It cannot be.

Each must come before the next, and the last before the first:

  LINES  CLIENT  TO NEXT  OPERATION
  1-1    0       wr       w x 1
  3-3    0       session  r x 1
`);
    const resting = checkText(
      findingOf(violation({ ...anomaly, operations: [first, second, third], cycle })),
    );
    expect(resting).toMatch(/What that rests on:\n\n +LINES +CLIENT +OPERATION\n +5-5 +1 /);
  });

  test("shows the end of a long order, and a few of many anomalies", () => {
    const order = Array.from({ length: 1000 }, () => first);
    const attempt = { order, state: "1", stuck: [{ operation: second, because: "it is late" }] };
    const text = checkText(findingOf(violation({ ...anomaly, attempt }, anomaly, anomaly, anomaly, anomaly)));
    expect(text).toContain("The longest order that could be found, after 992 operations:\n");
    expect(text.match(/^ {2}line 1: client 0's w x 1$/gm)).toHaveLength(8);
    expect(text).toMatch(/Then the state is 1, and none of these can be next:\n {2}line 3: .*: it is late\n/);
    expect(text.match(/^G1c/gm)).toHaveLength(3);
    expect(text).toMatch(/\nand 2 more; --json and --html show them all\n/);
  });

  test("does as it likes with the terminal: what is in the file does not", () => {
    const evil = "a\u001b[2J\nb";
    const text = checkText({
      ...findingOf(violation({ name: evil, explanation: evil, operations: [third], key: evil })),
      assumptions: [evil],
    });
    // eslint-disable-next-line no-control-regex -- to see that it is not there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(text).not.toMatch(/^b/m);
  });

  test("says how far it got when it found out nothing", () => {
    const text = checkText(
      findingOf({ is: "unknown", level: "causal", reason: "time is up", checked: 1, of: 3 }),
    );
    expect(text).toMatch(
      /^unknown: whether f keeps causal was not found out: time is up \(got through 1 of 3 operations\)\n/,
    );
  });

  test("of the strongest level, tells what each level says and shows how the next is broken", () => {
    const valid: Verdict = { is: "valid", level: "causal" };
    const broken = violation(anomaly);
    const undecided: Verdict = {
      is: "unknown",
      level: "read-atomic",
      reason: "it is late",
      checked: 0,
      of: 0,
    };
    const verdicts = new Map([broken, valid, undecided].map((each) => [each.level, each] as const));
    const told = (next: Verdict | undefined) =>
      checkText({ ...findingOf(valid), strongest: { level: "causal", next, verdicts } });
    const text = told(broken);
    expect(text).toMatch(/^valid: f keeps causal, and breaks serializable\n/);
    expect(text).toMatch(
      /serializable +violation +G1c\n +causal +valid\n +read-atomic +unknown +it is late\n/,
    );
    expect(text).toMatch(/It breaks serializable:\n\nG1c, key "x"/);
    expect(told(undefined)).toMatch(/^valid: f keeps causal, the strongest\n/);
    expect(told(undecided)).toMatch(
      /^valid: f keeps causal; whether it keeps read-atomic was not found out\n/,
    );
  });
});

describe("the JSON for programs", () => {
  test("names operations by their lines", () => {
    const cycle = [{ from: first, to: second, relation: "wr", because: "it read 1" }];
    const attempt = {
      order: [first, second],
      state: "1",
      stuck: [{ operation: second, because: "it is late" }],
    };
    const json = checkJson(findingOf(violation({ ...anomaly, cycle, attempt })));
    const told = {
      line: 3,
      answerLine: 3,
      client: 0,
      name: "txn",
      outcome: "ok",
      args: [[["r", "x", null]]],
    };
    expect(json).toMatchObject({
      verdict: "violation",
      clients: 2,
      anomalies: [
        {
          key: "x",
          cycle: [{ to: told, relation: "wr" }],
          attempt: { order: [1, 3], stuck: [{ operation: told }] },
        },
      ],
    });
  });
});
