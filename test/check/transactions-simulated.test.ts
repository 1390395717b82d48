import { describe, expect, test } from "vitest";
import { anomaliesOf, check, type TransactionLevel, type Workload } from "lockstep/check";
import { SimulatedDatabase, type Isolation } from "./simulated-database.js";

interface Promised {
  isolation: Isolation;
  keeps: TransactionLevel[];
  breaks: TransactionLevel[];
  /** What is seen sooner or later. */
  names: string[];
  /** What is seen of lists only, whose order is known. */
  ofLists?: string[];
}

const promises: Promised[] = [
  {
    isolation: "serial",
    keeps: ["strict-serializable", "repeatable-read", "strong-session-snapshot-isolation", "causal"],
    breaks: [],
    names: [],
  },
  {
    isolation: "snapshot",
    keeps: ["strong-session-snapshot-isolation", "snapshot-isolation", "causal", "read-committed"],
    breaks: ["serializable", "repeatable-read", "strict-serializable"],
    names: ["G2-item"],
  },
  {
    isolation: "parallel snapshots",
    keeps: ["causal", "read-atomic", "read-committed", "read-uncommitted"],
    breaks: ["snapshot-isolation", "strong-session-snapshot-isolation", "serializable"],
    names: ["G2-item", "G-nonadjacent-process"],
    ofLists: ["long fork", "G-nonadjacent"],
  },
  {
    isolation: "read committed",
    keeps: ["read-committed", "read-uncommitted"],
    breaks: ["read-atomic", "causal", "snapshot-isolation", "repeatable-read"],
    names: ["lost update", "internal", "fractured read"],
    ofLists: ["G-single"],
  },
  {
    isolation: "read uncommitted",
    keeps: ["read-uncommitted"],
    breaks: ["read-committed", "read-atomic", "snapshot-isolation", "serializable"],
    names: ["G1a", "G1b", "G1c"],
  },
];

const seeds = 60;

for (const workload of ["list-append", "rw-register"] as const satisfies Workload[]) {
  describe(workload, () => {
    for (const { isolation, keeps, breaks, names, ofLists = [] } of promises) {
      test(`${isolation}: keeps ${keeps[0]}, breaks ${breaks[0] ?? "nothing"}`, () => {
        const broken = new Set<TransactionLevel>();
        const found = new Set<string>();
        for (let seed = 0; seed < seeds; seed++) {
          const history = new SimulatedDatabase(seed, isolation, workload).run(40, 5);
          for (const level of keeps) {
            expect(check(history).keeps(level, workload), `seed ${seed}`).toEqual({ is: "valid", level });
          }
          for (const level of breaks) {
            if (check(history).keeps(level, workload).is === "violation") broken.add(level);
          }
          for (const { name } of anomaliesOf(history, workload)) found.add(name);
        }
        expect([...broken].sort()).toEqual([...breaks].sort());
        const expected = workload === "list-append" ? [...names, ...ofLists] : names;
        expect([...found]).toEqual(expect.arrayContaining(expected));
      });
    }
  });
}
