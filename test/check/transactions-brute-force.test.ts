import { describe, expect, test } from "vitest";
import { check, type History, type TransactionLevel, type Workload } from "lockstep/check";
import { dependencyGraph } from "../../src/check/transactions/dependency-graph.js";
import { EventGraph } from "../../src/check/transactions/event-graph.js";
import { forcedOrder } from "../../src/check/transactions/forced-order.js";
import { Observations } from "../../src/check/transactions/observations.js";
import { observeRegisters } from "../../src/check/transactions/registers.js";
import { hasCommitOrder, isSerializable, isSnapshotIsolated } from "./brute-force-isolation.js";
import { randomTransactions, type Micro } from "./random-transactions.js";

const meanings: [TransactionLevel, (history: History) => boolean][] = [
  ["strict-serializable", (history) => isSerializable(history, "realtime")],
  ["strong-session-serializable", (history) => isSerializable(history, "session")],
  ["serializable", (history) => isSerializable(history, "none")],
  ["repeatable-read", (history) => isSerializable(history, "none")],
  ["strong-session-snapshot-isolation", (history) => isSnapshotIsolated(history, "session")],
  ["snapshot-isolation", (history) => isSnapshotIsolated(history, "none")],
];

const histories = 800;

for (const workload of ["list-append", "rw-register"] as const satisfies Workload[]) {
  describe(`${workload}, beside trying every order`, () => {
    for (const [level, means] of meanings) {
      test(level, () => {
        const counts = { valid: 0, violation: 0, unknown: 0 };
        for (let seed = 0; seed < histories; seed++) {
          const history = randomTransactions(seed, {
            workload,
            transactions: 2 + (seed % 4),
            clients: 1 + (seed % 3),
            chaos: (seed % 5) / 5,
            trouble: (seed % 2) / 5,
          });
          const verdict = check(history).keeps(level, workload);
          counts[verdict.is]++;
          if ((verdict.is === "valid") !== means(history)) {
            expect.fail(
              `seed ${seed}: ${JSON.stringify(verdict, null, 1)}\n${JSON.stringify(history, null, 1)}`,
            );
          }
        }
        expect(counts.unknown).toBe(0);
        expect(counts.valid).toBeGreaterThan(histories / 12);
        expect(counts.violation).toBeGreaterThan(histories / 12);
      });
    }
  });
}

test("what is forced leaves every valid history possible", () => {
  let forcedOrders = 0;
  for (let seed = 0; seed < histories; seed++) {
    const options = { workload: "rw-register", transactions: 5, clients: 3, chaos: 0.1, trouble: 0 } as const;
    const history = randomTransactions(seed, options);
    const observations = new Observations(history, "rw-register");
    observeRegisters(observations);
    for (const hasSnapshots of [false, true]) {
      const isValid = hasSnapshots ? isSnapshotIsolated(history, "none") : isSerializable(history, "none");
      if (!isValid) continue;
      const { events, reasons } = forcedOrder(
        observations,
        new EventGraph(dependencyGraph(observations, "none"), hasSnapshots),
      );
      if (reasons.length > 0) forcedOrders++;
      expect(events.sorted(observations), `seed ${seed}`).toBeDefined();
    }
  }
  expect(forcedOrders).toBeGreaterThan(histories / 10);
});

describe("rw-register, beside trying every commit order", () => {
  for (const level of ["causal", "read-atomic", "read-committed"] as const) {
    test(level, () => {
      const counts = { valid: 0, violation: 0, unknown: 0 };
      for (let seed = 0; seed < histories * 3; seed++) {
        const history = randomTransactions(seed, {
          workload: "rw-register",
          transactions: 3 + (seed % 3),
          clients: 1 + (seed % 4),
          chaos: 0.3 + (seed % 4) / 5,
          trouble: 0,
        });
        if (!history.operations.every(({ args }) => isPlain(args[0] as Micro[]))) continue;
        const verdict = check(history).keeps(level, "rw-register");
        counts[verdict.is]++;
        if ((verdict.is === "valid") !== hasCommitOrder(history, level)) {
          expect.fail(
            `seed ${seed}: ${JSON.stringify(verdict, null, 1)}\n${JSON.stringify(history, null, 1)}`,
          );
        }
      }
      expect(counts.unknown).toBe(0);
      expect(counts.valid).toBeGreaterThan(50);
      expect(counts.violation).toBeGreaterThan(50);
    });
  }
});

/** Whether it reads and writes each key once at most, and writes none before it reads it. */
function isPlain(call: readonly Micro[]): boolean {
  return call.every(([action, key], at) => {
    const before = call.slice(0, at).filter(([, other]) => other === key);
    return before.every(([other]) => other === "r" && action !== "r");
  });
}
