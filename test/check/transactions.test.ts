import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { anomaliesOf, check, type History, type Operation, type TransactionLevel } from "lockstep/check";

type Micro = [action: string, key: unknown, value?: unknown];

interface Told {
  client?: string | number;
  did: Micro[];
  outcome?: "fail" | "unknown";
  /** From when to when; all at the same time, unless said. */
  during?: [from: number, to: number];
}

/** All at the same time and of different clients, unless told otherwise. */
function history(...told: Told[]): History {
  const operations = told.map(({ client, did, outcome, during }, place): Operation => {
    const [from, to] = during ?? [0, 1];
    return {
      client: client ?? `client ${place}`,
      name: "txn",
      args: [did.map(([action, key, value]) => (action === "r" ? ["r", key] : [action, key, value]))],
      result: outcome === undefined ? did : undefined,
      outcome: outcome ?? "ok",
      invoked: from * 1000 + place,
      returned: outcome === "unknown" ? Infinity : to * 1000 - 100 + place,
    };
  });
  return { operations: operations.sort((a, b) => a.invoked - b.invoked) };
}

const a = (key: string, value: number): Micro => ["append", key, value];
const w = (key: string, value: number): Micro => ["w", key, value];
const r = (key: string, value: unknown): Micro => ["r", key, value];

interface Case {
  name: string;
  history: History;
  /** The strongest levels that it keeps, and the weakest that it breaks. */
  keeps: TransactionLevel[];
  breaks: TransactionLevel[];
  /** How many transactions take part. */
  size: number;
  relations?: string[];
}

const lists: Case[] = [
  {
    name: "G0",
    history: history(
      { did: [a("x", 1), a("y", 1)] },
      { did: [a("x", 2), a("y", 2)] },
      { did: [r("x", [1, 2]), r("y", [2, 1])] },
    ),
    keeps: [],
    breaks: ["read-uncommitted"],
    size: 3,
    relations: ["ww", "ww"],
  },
  {
    name: "G1a",
    history: history({ did: [a("x", 1)], outcome: "fail" }, { did: [r("x", [1])] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "dirty update",
    history: history({ did: [a("x", 1)], outcome: "fail" }, { did: [a("x", 2)] }, { did: [r("x", [1, 2])] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 3,
  },
  {
    name: "G1b",
    history: history({ did: [a("x", 1), a("x", 2)] }, { did: [r("x", [1])] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "G1c",
    history: history({ did: [a("x", 1), r("y", [1])] }, { did: [a("y", 1), r("x", [1])] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
    relations: ["wr", "wr"],
  },
  {
    name: "G-single",
    history: history({ did: [a("x", 1), a("y", 1)] }, { did: [r("y", []), r("x", [1])] }),
    keeps: ["read-committed"],
    breaks: ["read-atomic", "snapshot-isolation", "repeatable-read"],
    size: 2,
    relations: ["rw", "wr"],
  },
  {
    name: "fractured read",
    history: history({ did: [a("x", 1), a("y", 1)] }, { did: [r("y", []), r("x", [1])] }),
    keeps: ["read-committed"],
    breaks: ["read-atomic", "strong-session-snapshot-isolation"],
    size: 2,
  },
  {
    name: "G-monotonic",
    history: history({ did: [a("x", 1), a("y", 1)] }, { did: [r("y", [1]), r("x", [])] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "causality violation",
    history: history(
      { did: [a("x", 1)] },
      { did: [r("x", [1]), a("y", 1)] },
      { did: [r("y", [1]), r("x", [])] },
    ),
    keeps: ["read-atomic"],
    breaks: ["causal"],
    size: 3,
  },
  {
    name: "G-nonadjacent",
    history: history(
      { did: [a("x", 1)] },
      { did: [a("y", 1)] },
      { did: [r("x", [1]), r("y", [])] },
      { did: [r("x", []), r("y", [1])] },
    ),
    keeps: ["causal"],
    breaks: ["snapshot-isolation", "serializable"],
    size: 4,
    relations: ["rw", "rw", "wr", "wr"],
  },
  {
    name: "long fork",
    history: history(
      { did: [a("x", 1)] },
      { did: [a("y", 1)] },
      { did: [r("x", [1]), r("y", [])] },
      { did: [r("x", []), r("y", [1])] },
    ),
    keeps: ["causal"],
    breaks: ["snapshot-isolation", "serializable"],
    size: 4,
    relations: ["rw", "rw", "wr", "wr"],
  },
  {
    name: "G2-item",
    history: history({ did: [r("x", []), a("y", 1)] }, { did: [r("y", []), a("x", 1)] }),
    keeps: ["strong-session-snapshot-isolation"],
    breaks: ["serializable", "repeatable-read"],
    size: 2,
    relations: ["rw", "rw"],
  },
  {
    name: "lost update",
    history: history(
      { did: [r("x", []), a("x", 1)] },
      { did: [r("x", []), a("x", 2)] },
      { did: [r("x", [1, 2])] },
    ),
    keeps: ["causal"],
    breaks: ["snapshot-isolation", "repeatable-read"],
    size: 2,
    relations: ["rw", "rw"],
  },
  {
    name: "internal",
    history: history({ did: [a("x", 1), r("x", [])] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 1,
  },
  {
    name: "internal",
    history: history({ did: [a("x", 1)] }, { did: [r("x", []), r("x", [1])] }),
    keeps: ["read-committed"],
    breaks: ["read-atomic", "repeatable-read", "snapshot-isolation"],
    size: 1,
  },
  {
    name: "future read",
    history: history({ did: [r("x", [1]), a("x", 1)] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 1,
  },
  {
    name: "duplicate elements",
    history: history({ did: [a("x", 1)] }, { did: [r("x", [1, 1])] }),
    keeps: [],
    breaks: ["read-uncommitted"],
    size: 1,
  },
  {
    name: "garbage read",
    history: history({ did: [r("x", [1])] }),
    keeps: [],
    breaks: ["read-uncommitted"],
    size: 1,
  },
  {
    name: "incompatible order",
    history: history(
      { did: [a("x", 1)] },
      { did: [a("x", 2)] },
      { did: [r("x", [1])] },
      { did: [r("x", [2])] },
    ),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "incompatible order",
    history: history({ did: [a("x", 1), a("x", 2)] }, { did: [r("x", [2])] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "G0-process",
    history: history(
      { client: "a", did: [a("x", 1)], during: [0, 1] },
      { client: "a", did: [a("x", 2)], during: [2, 3] },
      { client: "b", did: [r("x", [2, 1])], during: [4, 5] },
    ),
    keeps: ["serializable", "snapshot-isolation", "read-uncommitted"],
    breaks: ["read-committed", "strong-session-snapshot-isolation"],
    size: 3,
    relations: ["session", "ww"],
  },
  {
    name: "G1c-process",
    history: history(
      { client: "a", did: [r("x", [1])], during: [0, 1] },
      { client: "a", did: [a("x", 1)], during: [2, 3] },
    ),
    keeps: ["serializable", "snapshot-isolation"],
    breaks: ["read-committed"],
    size: 2,
    relations: ["session", "wr"],
  },
  {
    name: "G-single-process",
    history: history(
      { client: "a", did: [a("x", 1)], during: [0, 1] },
      { client: "a", did: [r("x", [])], during: [2, 3] },
    ),
    keeps: ["serializable", "snapshot-isolation", "read-committed"],
    breaks: ["strong-session-snapshot-isolation", "read-atomic"],
    size: 2,
    relations: ["rw", "session"],
  },
  {
    name: "G-nonadjacent-process",
    history: history(
      { client: "a", did: [a("x", 1)], during: [0, 1] },
      { client: "a", did: [r("y", [])], during: [2, 3] },
      { client: "b", did: [a("y", 1)], during: [0, 1] },
      { client: "b", did: [r("x", [])], during: [2, 3] },
    ),
    keeps: ["serializable", "causal"],
    breaks: ["strong-session-snapshot-isolation"],
    size: 4,
    relations: ["rw", "rw", "session", "session"],
  },
  {
    name: "G2-item-process",
    history: history(
      { client: "a", did: [a("x", 1)], during: [0, 1] },
      { client: "a", did: [r("y", [])], during: [2, 3] },
      { client: "b", did: [r("x", []), a("y", 1)], during: [0, 3] },
    ),
    keeps: ["serializable", "strong-session-snapshot-isolation"],
    breaks: ["strong-session-serializable"],
    size: 3,
    relations: ["rw", "rw", "session"],
  },
  {
    name: "G0-realtime",
    history: history(
      { did: [a("x", 1)], during: [0, 1] },
      { did: [a("x", 2)], during: [2, 3] },
      { did: [r("x", [2, 1])], during: [4, 5] },
    ),
    keeps: ["strong-session-serializable", "causal"],
    breaks: ["strict-serializable"],
    size: 3,
    relations: ["realtime", "ww"],
  },
  {
    name: "G1c-realtime",
    history: history({ did: [r("x", [1])], during: [0, 1] }, { did: [a("x", 1)], during: [2, 3] }),
    keeps: ["strong-session-serializable", "causal"],
    breaks: ["strict-serializable"],
    size: 2,
    relations: ["realtime", "wr"],
  },
  {
    name: "G-single-realtime",
    history: history({ did: [a("x", 1)], during: [0, 1] }, { did: [r("x", [])], during: [2, 3] }),
    keeps: ["strong-session-serializable", "causal"],
    breaks: ["strict-serializable"],
    size: 2,
    relations: ["realtime", "rw"],
  },
  {
    name: "G-nonadjacent-realtime",
    history: history(
      { did: [a("x", 1)], during: [0, 1] },
      { did: [r("y", [])], during: [3, 4] },
      { did: [a("y", 1)], during: [2, 5] },
      { did: [r("x", [])], during: [6, 7] },
    ),
    keeps: ["strong-session-serializable"],
    breaks: ["strict-serializable"],
    size: 4,
  },
  {
    name: "G2-item-realtime",
    history: history(
      { did: [a("x", 1)], during: [0, 1] },
      { did: [r("y", [])], during: [2, 3] },
      { did: [r("x", []), a("y", 1)], during: [0, 3] },
    ),
    keeps: ["strong-session-serializable"],
    breaks: ["strict-serializable"],
    size: 3,
    relations: ["realtime", "rw", "rw"],
  },
];

const registers: Case[] = [
  {
    name: "G1a",
    history: history({ did: [w("x", 1)], outcome: "fail" }, { did: [r("x", 1)] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "G1b",
    history: history({ did: [w("x", 1), w("x", 2)] }, { did: [r("x", 1)] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "G1c",
    history: history({ did: [w("x", 1), r("y", 1)] }, { did: [w("y", 1), r("x", 1)] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
    relations: ["wr", "wr"],
  },
  {
    name: "cyclic versions",
    history: history({ did: [r("x", 1), w("x", 2)] }, { did: [r("x", 2), w("x", 1)] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 2,
  },
  {
    name: "garbage read",
    history: history({ did: [r("x", 7)] }),
    keeps: [],
    breaks: ["read-uncommitted"],
    size: 1,
  },
  {
    name: "internal",
    history: history({ did: [w("x", 1)] }, { did: [w("x", 2), r("x", 1)] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 1,
  },
  {
    name: "internal",
    history: history({ did: [w("x", 1)] }, { did: [r("x", null), r("x", 1)] }),
    keeps: ["read-committed"],
    breaks: ["read-atomic"],
    size: 1,
  },
  {
    name: "future read",
    history: history({ did: [r("x", 1), w("x", 1)] }),
    keeps: ["read-uncommitted"],
    breaks: ["read-committed"],
    size: 1,
  },
  {
    name: "lost update",
    history: history({ did: [r("x", null), w("x", 1)] }, { did: [r("x", null), w("x", 2)] }),
    keeps: ["causal"],
    breaks: ["snapshot-isolation", "repeatable-read"],
    size: 2,
    relations: ["rw", "rw"],
  },
  {
    name: "G2-item",
    history: history({ did: [r("x", null), w("y", 1)] }, { did: [r("y", null), w("x", 1)] }),
    keeps: ["strong-session-snapshot-isolation"],
    breaks: ["serializable"],
    size: 2,
    relations: ["rw", "rw"],
  },
  {
    name: "long fork",
    history: history(
      { did: [w("x", 1)] },
      { did: [w("y", 1)] },
      { did: [r("x", 1), r("y", null)] },
      { did: [r("x", null), r("y", 1)] },
    ),
    keeps: ["causal"],
    breaks: ["snapshot-isolation", "serializable"],
    size: 4,
    relations: ["rw", "rw", "wr", "wr"],
  },
  {
    name: "causality violation",
    history: history(
      { did: [w("x", 1), w("z", 1)] },
      { did: [r("z", 1), w("x", 2), w("y", 1)] },
      { did: [r("y", 1), w("v", 1)] },
      { did: [r("v", 1), r("x", 1)] },
    ),
    keeps: ["read-atomic"],
    breaks: ["causal"],
    size: 4,
  },
];

for (const [workload, cases] of [
  ["list-append", lists],
  ["rw-register", registers],
] as const) {
  describe(`${workload}: each anomaly under its own name`, () => {
    for (const { name, history, keeps, breaks, size, relations } of cases) {
      test(name, () => {
        const anomalies = anomaliesOf(history, workload);
        const found = anomalies.find((anomaly) => anomaly.name === name);
        expect(found, anomalies.map((each) => each.name).join()).toBeDefined();
        expect(found!.operations).toHaveLength(size);
        if (relations) expect(found!.cycle?.map(({ relation }) => relation).sort()).toEqual(relations);
        for (const [at, edge] of found!.cycle?.entries() ?? []) {
          expect(edge.to).toBe(found!.cycle![(at + 1) % found!.cycle!.length]!.from);
          expect(edge.because).not.toMatch(/undefined/);
        }
        for (const level of keeps)
          expect(check(history).keeps(level, workload)).toEqual({ is: "valid", level });
        for (const level of breaks) {
          const verdict = check(history).keeps(level, workload);
          expect(verdict.is === "violation" && verdict.anomalies.length, level).toBeGreaterThan(0);
        }
      });
    }
  });
}

describe("valid histories", () => {
  const levels: TransactionLevel[] = ["strict-serializable", "serializable", "snapshot-isolation", "causal"];
  const valid: [name: string, workload: "list-append" | "rw-register", history: History][] = [
    ["nothing happened", "list-append", history()],
    [
      "one after the other",
      "list-append",
      history(
        { did: [a("x", 1), r("x", [1])], during: [0, 1] },
        { did: [r("x", [1]), a("x", 2)], during: [2, 3] },
        { did: [r("x", [1, 2]), r("y", [])], during: [4, 5] },
      ),
    ],
    [
      "many saw nothing of what many wrote, and one of them wrote, too",
      "list-append",
      history(
        ...[1, 2, 3, 4, 5, 6].map(() => ({ did: [r("x", [])] })),
        { did: [a("x", 1)] },
        { did: [a("x", 2)] },
        { did: [r("x", []), a("x", 3)] },
        { did: [a("x", 4)] },
        { did: [a("x", 5)] },
        { did: [a("x", 6)] },
      ),
    ],
    [
      "who failed was never seen",
      "list-append",
      history({ did: [a("x", 1)], outcome: "fail" }, { did: [r("x", [])] }),
    ],
    [
      "nobody knows whether it happened, and it did, late",
      "list-append",
      history(
        { did: [a("x", 1), a("y", 1)], outcome: "unknown", during: [0, 1] },
        { did: [r("x", [])], during: [2, 3] },
        { did: [r("x", [1]), r("y", [1])], during: [4, 5] },
      ),
    ],
    [
      "nobody knows whether it happened, and it did not",
      "rw-register",
      history(
        { did: [w("x", 1)], outcome: "unknown", during: [0, 1] },
        { did: [r("x", null)], during: [2, 3] },
      ),
    ],
    [
      "two wrote at the same time, and the one that returned later was first",
      "rw-register",
      history(
        { did: [w("x", 1)], during: [0, 3] },
        { did: [w("x", 2)], during: [0, 2] },
        { did: [r("x", 2)], during: [4, 5] },
      ),
    ],
  ];
  for (const [name, workload, told] of valid) {
    test(name, () => {
      for (const level of levels) expect(check(told).keeps(level, workload)).toEqual({ is: "valid", level });
      expect(anomaliesOf(told, workload)).toEqual([]);
    });
  }

  test("without real time nothing is said about it", () => {
    const told = { ...history({ did: [a("x", 1)] }), realTime: false as const };
    expect(check(told).keeps("strict-serializable", "list-append")).toMatchObject({ is: "unknown", of: 1 });
    expect(check(told).keeps("strong-session-serializable", "list-append").is).toBe("valid");
  });
});

describe("what is told of it", () => {
  const told = (level: TransactionLevel, history: History) => {
    const verdict = check(history).keeps(level, "list-append");
    return verdict.is === "violation" && verdict.anomalies[0].explanation;
  };

  test("a circle, with who missed what", () => {
    const skew = history(
      { client: "ann", did: [r("y", []), a("x", 1)] },
      { client: 2, did: [r("x", []), a("y", 1)] },
    );
    expect(told("serializable", skew)).toBe(
      "Transactions missed each other's writes, in a circle (write skew): " +
        'ann\'s r("y") → [] did not see 1, which client 2 appended; ' +
        'client 2\'s r("x") → [] did not see 1, which ann appended.',
    );
  });

  test("what was over, and what a client did first", () => {
    const late = (client: string) =>
      history({ client: "a", did: [a("x", 1)] }, { client, did: [r("x", [])], during: [2, 3] });
    expect(told("strict-serializable", late("b"))).toContain(
      "a's append x 1 was over before b's r x [] began",
    );
    expect(told("strong-session-serializable", late("a"))).toContain("a did append x 1 before r x []");
  });

  test("what a transaction knew of", () => {
    const fractured = history(
      { client: "a", did: [a("x", 1), a("y", 1)] },
      { client: "b", did: [r("y", []), r("x", [1])] },
    );
    expect(told("read-atomic", fractured)).toBe(
      'b\'s r("y") → [] did not see 1, which a appended, ' +
        "though it read from a's transaction, or is of one client with it.",
    );
  });
});

describe("what is no history of transactions", () => {
  const nonsense: [name: string, workload: "list-append" | "rw-register", history: History][] = [
    [
      "another operation",
      "list-append",
      { operations: [{ ...history({ did: [] }).operations[0]!, name: "read" }] },
    ],
    ["a write of the other workload", "list-append", history({ did: [w("x", 1)] })],
    ["a list that is none", "list-append", history({ did: [r("x", 1)] })],
    ["an element appended twice", "list-append", history({ did: [a("x", 1)] }, { did: [a("x", 1)] })],
    ["a value written twice", "rw-register", history({ did: [w("x", 1)] }, { did: [w("x", 1)] })],
    ["null, which is there at first", "rw-register", history({ did: [["w", "x", null]] })],
  ];
  for (const [name, workload, told] of nonsense) {
    test(name, () => {
      expect(() => check(told).keeps("serializable", workload)).toThrow(
        expect.objectContaining({ code: "bad-input" }),
      );
    });
  }
});

const oracles = "../shared/oracles/isolation";
describe.skipIf(!existsSync(oracles))("histories of others", () => {
  const ladder = ["read-committed", "read-atomic", "causal"] as const;
  for (const label of existsSync(oracles) ? readdirSync(oracles) : []) {
    for (const file of readdirSync(`${oracles}/${label}`)) {
      test(`${label}/${file}`, () => {
        const told = sessions(readFileSync(`${oracles}/${label}/${file}`, "utf8"));
        const kept = ladder.filter((level) => check(told).keeps(level, "rw-register").is === "valid");
        expect(kept.at(-1) ?? "none").toBe(label);
        expect(kept).toEqual(ladder.slice(0, kept.length));
      });
    }
  }
});

function sessions(text: string): History {
  let moment = 0;
  const operations = text.split("=====").flatMap((session, client) =>
    session.split("-----").map((transaction): Operation => {
      const did = [...transaction.matchAll(/([rw]) (\d+) (\d+)/g)].map(([, action, key, value]) => [
        action,
        Number(key),
        Number(value),
      ]);
      const times = { invoked: moment++, returned: moment++ };
      return { client, name: "txn", args: [did], result: did, outcome: "ok", ...times };
    }),
  );
  return { operations, realTime: false };
}
