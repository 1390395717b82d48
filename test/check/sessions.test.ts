import { check, type Operation, type OperationLevel, type Verdict } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { operationLevels } from "../../src/check/level.js";
import { casRegister } from "../../src/check/objects/cas-register.js";
import { keyValue } from "../../src/check/objects/key-value.js";
import { queue } from "../../src/check/objects/queue.js";
import { register } from "../../src/check/objects/register.js";
import { accessHistory } from "./access-history.js";
import { keepsByTrial } from "./session-oracle.js";

/** Those that are told from who read what from whom. */
const levels = operationLevels.filter((level) => level !== "linearizable" && level !== "sequential");

/** What the literature tells of, with the levels that it breaks, and the name of the anomaly. */
const classics: { title: string; text: string; breaks: readonly OperationLevel[]; name?: string }[] = [
  {
    title: "all is well",
    text: `a write x 1
           b read x 1
           b write y 2
           c read y 2
           c read x 1
           a cas x 1 3
           b read x 3`,
    breaks: [],
  },
  {
    title: "who does not see its own write",
    text: `a write x 1
           a read x nothing`,
    breaks: ["causal+", "causal", "session", "pram", "read-your-writes", "eventual"],
    name: "read your writes",
  },
  {
    title: "who sees what it has overwritten itself",
    text: `a write x 1
           b read x 1
           b write x 2
           b read x 1`,
    breaks: ["causal+", "causal", "session", "pram", "read-your-writes"],
    name: "read your writes",
  },
  {
    title: "who sees what it has replaced itself",
    text: `a write x 1
           b cas x 1 2
           b read x 1`,
    breaks: ["causal+", "causal", "session", "pram", "read-your-writes"],
    name: "read your writes",
  },
  {
    title: "who has seen the second write of another, overwritten the first, and then sees that",
    text: `a write x 1
           a write x 2
           b read x 2
           b write x 3
           b read x 1`,
    breaks: ["causal+", "causal", "session", "pram", "monotonic-reads", "read-your-writes"],
    name: "read your writes",
  },
  {
    title: "the same, where the second is of another key",
    text: `a write x 1
           a write y 2
           b read y 2
           b write x 3
           b read x 1`,
    breaks: ["causal+", "causal", "session", "pram"],
    name: "PRAM",
  },
  {
    title: "who has replaced what replaced the first, and then sees that",
    text: `c write x 1
           b cas x 1 2
           a cas x 2 3
           a read x 1`,
    breaks: ["causal+", "causal", "session", "writes-follow-reads"],
    name: "writes follow reads",
  },
  {
    title: "who has seen a write, and then does not",
    text: `a write x 1
           b read x 1
           b read x nothing
           b read x 1`,
    breaks: ["causal+", "causal", "session", "pram", "monotonic-reads"],
    name: "monotonic reads",
  },
  {
    title: "who has seen the second write of another, and then the first",
    text: `a write x 1
           a write x 2
           b read x 2
           b read x 1
           b read x 2`,
    breaks: ["causal+", "causal", "session", "pram", "monotonic-reads"],
    name: "monotonic reads",
  },
  {
    title: "who has overwritten what it saw, has seen that, too, and then sees the former",
    text: `a write x 1
           b read x 1
           b write x 2
           b read x 2
           b read x 1`,
    breaks: [
      "causal+",
      "causal",
      "session",
      "pram",
      "writes-follow-reads",
      "monotonic-reads",
      "read-your-writes",
    ],
    name: "read your writes",
  },
  {
    title: "who has seen the second write of another, but not the first, of another key",
    text: `a write x 1
           a write y 2
           b read y 2
           b read x nothing
           b read x 1`,
    breaks: ["causal+", "causal", "session", "pram", "monotonic-writes"],
    name: "monotonic writes",
  },
  {
    title: "who has seen the third write of another, and then, of the first two, the first",
    text: `a write x 1
           a write x 2
           a write y 3
           b read y 3
           b read x 1
           b read x 2`,
    breaks: ["causal+", "causal", "session", "pram", "monotonic-writes"],
    name: "monotonic writes",
  },
  {
    title: "who sees an answer and not the question",
    text: `a write x 1
           b read x 1
           b write y 2
           c read y 2
           c read x nothing
           c read x 1`,
    breaks: ["causal+", "causal", "session", "writes-follow-reads"],
    name: "writes follow reads",
  },
  {
    title: "who sees an answer and then the question that it replaced",
    text: `a write x 1
           b read x 1
           b write x 2
           c read x 2
           c read x 1
           c read x 2`,
    breaks: ["causal+", "causal", "session", "writes-follow-reads"],
    name: "writes follow reads",
  },
  {
    title: "each of the four guarantees, but not all of them together",
    text: `a write x 1
           a write y 2
           b read y 2
           b write z 3
           c read z 3
           c read x nothing
           c read x 1`,
    breaks: ["causal+", "causal"],
    name: "WriteCOInitRead",
  },
  {
    title: "a value that came before another that came before the read",
    text: `a write x 1
           a write x 2
           a write y 3
           b read y 3
           b write z 4
           c read z 4
           c read x 1
           c read x 2`,
    breaks: ["causal+", "causal"],
    name: "WriteCORead",
  },
  {
    title: "two that each saw the other's write before they wrote",
    text: `a read x 2
           a write y 1
           b read y 1
           b write x 2`,
    breaks: ["causal+", "causal", "session", "writes-follow-reads"],
    name: "writes follow reads",
  },
  {
    title: "two that each saw the other's second write before their first",
    text: `a write y 1
           a read x 2
           a write z 3
           b read z 3
           b write x 2`,
    breaks: ["causal+", "causal", "session", "writes-follow-reads"],
    name: "writes follow reads",
  },
  {
    title: "two that see two writes in different orders",
    text: `a write x 1
           b write x 2
           a read x 2
           b read x 1
           a read x 1`,
    breaks: ["causal+"],
    name: "CyclicCF",
  },
  {
    title: "who sees two writes by turns",
    text: `a write x 1
           b write x 2
           c read x 1
           c read x 2
           c read x 1
           a read x 1
           b read x 1`,
    breaks: ["causal+"],
    name: "CyclicCF",
  },
  {
    title: "clients that do not come to see the same",
    text: `a write x 1
           b write x 2
           a read x 1
           b read x 2`,
    breaks: ["eventual"],
    name: "no convergence",
  },
  {
    title: "a client that sees nothing in the end",
    text: `a write x 1
           b read x nothing`,
    breaks: ["eventual"],
    name: "no convergence",
  },
  {
    title: "a lost write may come in between at any time",
    text: `a write x 1
           b write x 2 lost
           a read x 1
           c read x 2`,
    breaks: [],
  },
  {
    title: "a lost write that was read comes after what its client did before",
    text: `a write x 1
           a write y 2 lost
           b read y 2
           b read x nothing`,
    breaks: ["causal+", "causal", "session", "pram", "monotonic-writes", "eventual"],
    name: "monotonic writes",
  },
  {
    title: "a value from nowhere",
    text: `a write x 1
           b read x 7`,
    breaks: levels,
    name: "ThinAirRead",
  },
  {
    title: "the value of a write that failed",
    text: `a write x 1 failed
           b read x 1`,
    breaks: levels,
    name: "aborted read",
  },
  {
    title: "a value that the client itself writes later",
    text: `a read x 1
           a write x 1`,
    breaks: levels,
    name: "ThinAirRead",
  },
];

describe.each(classics)("$title", ({ text, breaks, name }) => {
  const operations = accessHistory(text);

  test.each(levels)("%s", (level) => {
    const verdict = judged(operations, level);
    expect(verdict.is).toBe(breaks.includes(level) ? "violation" : "valid");
    expect(keepsByTrial(level, operations)).toBe(verdict.is === "valid");
    if (verdict.is === "violation") expectProof(verdict, operations);
  });

  if (!name) return;
  test("its name", () => {
    // The weakest level that is broken says it best.
    const weakest = [...breaks].reverse().find((level) => level !== "eventual") ?? "eventual";
    const verdict = judged(operations, weakest);
    expect(verdict.is === "violation" && verdict.anomalies[0].name).toBe(name);
  });
});

describe("a client that does several things at once", () => {
  test("of several later writes, one that was over counts", () => {
    const write = (args: unknown[], invoked: number, returned: number): Operation => {
      return { client: "a", name: "write", args, result: undefined, outcome: "ok", invoked, returned };
    };
    const read = (args: unknown[], result: unknown, invoked: number): Operation => {
      return { client: "b", name: "read", args, result, outcome: "ok", invoked, returned: invoked + 1 };
    };
    const operations = [
      write(["x", 1], 0, 1),
      write(["x", 2], 2, 9),
      write(["x", 3], 3, 4),
      write(["y", 4], 5, 6),
      read(["y"], 4, 10),
      read(["x"], 1, 12),
    ];
    expect(judged(operations, "monotonic-writes").is).toBe("violation");
    expect(judged(operations.toSpliced(2, 1), "monotonic-writes").is).toBe("valid");
  });
});

describe("anomalies", () => {
  test("the way from one operation to another is the shortest", () => {
    const operations = accessHistory(`a write x 1
                                      a write y 2
                                      a write y 3
                                      a write y 4
                                      b read y 2
                                      b read y 4
                                      b write z 5
                                      c read z 5
                                      c read x nothing`);
    const verdict = judged(operations, "causal");
    const [anomaly] = verdict.is === "violation" ? verdict.anomalies : [];
    expect(anomaly?.name).toBe("WriteCOInitRead");
    expect(anomaly?.cycle?.map(({ relation }) => relation)).toEqual([
      "session",
      "wr",
      "session",
      "wr",
      "session",
      "rw",
    ]);
    expect(anomaly?.operations).toHaveLength(6);
  });

  test("a cycle of reads", () => {
    const operations = accessHistory(`a read x 2
                                      a write w 8
                                      a write y 1
                                      b read y 1
                                      b write v 9
                                      b write x 2`);
    const verdict = judged(operations, "causal");
    const [anomaly] = verdict.is === "violation" ? verdict.anomalies : [];
    expect(anomaly?.name).toBe("CyclicCO");
    expect(anomaly?.operations).toHaveLength(4);
  });
});

describe("values that were written twice", () => {
  test("one way in which it can be right is enough", () => {
    const operations = accessHistory(`a write x 1
                                      b read x 1
                                      b write x 2
                                      c write x 1
                                      b read x 1`);
    for (const level of levels) expect(judged(operations, level).is).toBe("valid");
  });

  test("what is wrong in every way is wrong", () => {
    const operations = accessHistory(`a write x 1
                                      a write x 1
                                      a write x 2
                                      b read x 2
                                      b read x 1`);
    const verdict = judged(operations, "monotonic-reads");
    expect(verdict.is === "violation" && verdict.anomalies[0].name).toBe("monotonic reads");
    expect(verdict.is === "violation" && verdict.anomalies[0].explanation).toContain("more than once");
  });

  test("if there are too many ways, nobody knows", () => {
    const some = (line: (count: number) => string) => Array.from({ length: 40 }, (_, index) => line(index));
    const operations = accessHistory(
      [
        ...some((index) => `a${index} write x 1`),
        ...some((index) => `b${index} write x 2`),
        ...some((index) => `c read x ${(index % 2) + 1}`),
        ...some(() => "d write y 1"),
        "d read y nothing",
      ].join("\n"),
    );
    expect(judged(operations, "read-your-writes").is).toBe("violation");
    const broken = accessHistory(`a write x 1
        b write x 1
        a write y 1
        b write y 2
        a read y 2
        b read y 1
        ${some((index) => `c${index} read x 1`).join("\n")}`);
    expect(judged(broken, "causal+").is).toBe("violation");
    const verdict = judged(accessHistory(hardForConvergence()), "causal+", 50);
    expect(verdict.is === "unknown" && verdict.reason).toContain("write unique values");
  });
});

describe("what is told of it", () => {
  const told = (level: OperationLevel, text: string) => {
    const verdict = judged(accessHistory(text), level);
    return verdict.is === "violation" && verdict.anomalies[0].explanation;
  };

  test("says who missed what, and why that had to be seen", () => {
    expect(
      told(
        "causal",
        `a write x 1
         b read x 1
         b write y 2
         c read y 2
         c read x nothing`,
      ),
    ).toBe(
      'c\'s read("x") → null saw what was there at the start, and not a\'s write("x", 1). ' +
        "It had to see that: " +
        'b\'s read("x") → 1 saw what a\'s write("x", 1) wrote; b did read("x") → 1 before write("y", 2); ' +
        'c\'s read("y") → 2 saw what b\'s write("y", 2) wrote; c did read("y") → 2 before read("x") → null.',
    );
  });

  test("says why what was missed came later", () => {
    expect(
      told(
        "monotonic-reads",
        `a write x 1
         a write x 2
         b read x 2
         b read x 1`,
      ),
    ).toMatch(/That came after what it saw: a did write\("x", 1\) before write\("x", 2\)\.$/);
  });

  test("says who saw two writes the other way round", () => {
    expect(
      told(
        "causal+",
        `a write x 1
         b write x 2
         c read x 1
         c read x 2
         d read x 2
         d read x 1`,
      ),
    ).toContain(
      'c\'s read("x") → 2 saw b\'s write("x", 2), when it knew of a\'s write("x", 1): so that came first',
    );
  });
});

describe("what cannot be judged", () => {
  test("objects that are not read and written", () => {
    expect(() => check({ operations: [] }).keeps("causal", queue())).toThrow("reads and writes");
  });

  test("operations that do more than that", () => {
    const operations = accessHistory("a append x 1");
    const verdict = check({ operations }).keeps("causal", keyValue());
    expect(verdict.is === "unknown" && verdict.reason).toContain('append("x", 1)');
  });

  test("what was last, where nobody knows the time", () => {
    const operations = accessHistory("a write x 1");
    expect(check({ operations, realTime: false }).keeps("eventual", register()).is).toBe("unknown");
    expect(check({ operations, realTime: false }).keeps("causal", register()).is).toBe("valid");
  });

  test("a client that sees what it is itself still changing", () => {
    const operations: Operation[] = [
      {
        client: "a",
        name: "cas",
        args: ["x", null, 1],
        result: true,
        outcome: "ok",
        invoked: 0,
        returned: 5,
      },
      { client: "a", name: "cas", args: ["x", 1, 2], result: true, outcome: "ok", invoked: 1, returned: 4 },
    ];
    const verdict = judged(operations, "pram");
    expect(verdict.is === "unknown" && verdict.reason).toMatch(/^a did several things at once/);
  });
});

/** Two writes of each of many values, and reads that cannot be right in any way; found last. */
function hardForConvergence(): string {
  const lines: string[] = [];
  for (let key = 0; key < 12; key++) {
    for (const client of ["a", "b", "c"]) lines.push(`${client} write x${key} 1`);
    for (const client of ["d", "e", "f"]) lines.push(`${client} read x${key} 1`);
  }
  lines.push("g write y 1", "h write y 1", "g write y 2", "h write y 2");
  for (const value of [1, 2, 1, 2, 1]) lines.push(`i read y ${value}`);
  return lines.join("\n");
}

function judged(operations: readonly Operation[], level: OperationLevel, timeoutMs = 10_000): Verdict {
  return check({ operations }, { timeoutMs }).keeps(level, casRegister());
}

/** Each edge leads on to the next, and holds; all operations that it rests on are told. */
function expectProof(verdict: Verdict, operations: readonly Operation[]): void {
  if (verdict.is !== "violation") return;
  const [{ cycle = [], operations: involved }] = verdict.anomalies;
  expect(involved.length).toBeGreaterThan(0);
  expect(involved.every((each, index) => index === 0 || involved[index - 1]!.invoked < each.invoked)).toBe(
    true,
  );
  for (const operation of involved) expect(operations).toContain(operation);
  cycle.forEach(({ from, to, relation }, index) => {
    expect(cycle[(index + 1) % cycle.length]!.from).toBe(to);
    expect(involved).toContain(from);
    if (relation === "session") {
      expect(from.client).toBe(to.client);
      expect(from.returned).toBeLessThan(to.invoked);
    }
    const seen = to.name === "cas" ? to.args[1] : to.result;
    if (relation === "wr") expect(from.args.at(-1)).toBe(seen);
  });
}
