// Who had a mutex, and when, is known without a search: judged so, every history gets the verdict of one.
import { SeededRandom } from "lockstep/base";
import { check, mutex, type Operation } from "lockstep/check";
import { expect, test } from "vitest";
import { crowdOfWaiters } from "./crowd-of-waiters.js";
import { holdOrder } from "../../src/check/linearizability/hold-order.js";
import { oneByOne, told, type Told } from "./told-history.js";

const { shortcut, ...searched } = mutex();

/** Clients of a mutex that works, who wait for it or do not, and of whom some are told what is not so. */
function randomHistory(random: SeededRandom): Operation[] {
  const operations: { -readonly [Field in keyof Operation]: Operation[Field] }[] = [];
  const open = new Map<number, (typeof operations)[number]>();
  const done = new Set<number>();
  const doubt = random.chance(0.5) ? 0.15 : 0;
  const wrong = random.chance(0.7) ? 0.15 : 0;
  let owner: number | undefined;
  for (let moment = 0; moment < 24; moment++) {
    const client = random.below(4);
    const operation = open.get(client);
    if (operation === undefined) {
      const name = random.chance(0.02) !== (owner === client) ? "release" : "acquire";
      const call = {
        client,
        name,
        args: [],
        result: undefined,
        outcome: "unknown",
        invoked: moment,
      } as const;
      operations.push({ ...call, returned: Infinity });
      open.set(client, operations.at(-1)!);
      done.delete(client);
    } else if (!done.has(client)) {
      const isTaken = owner !== undefined && operation.name === "acquire";
      if (isTaken && random.chance(0.5)) continue;
      if (isTaken) operation.result = false;
      else owner = operation.name === "acquire" ? client : undefined;
      done.add(client);
    } else {
      open.delete(client);
      if (random.chance(doubt)) {
        operation.result = undefined;
        continue;
      }
      operation.outcome = random.chance(doubt) && operation.result === false ? "fail" : "ok";
      operation.returned = moment;
      if (operation.name === "acquire" && random.chance(wrong)) {
        operation.result = operation.result === false ? undefined : false;
        if (owner === client) owner = undefined;
      }
    }
  }
  // Some answers come at the very moment of what another client does next.
  const ties = random.chance(0.3) ? 0.5 : 0;
  const calls = new Map(operations.map(({ invoked, client }) => [invoked, client]));
  for (const operation of operations) {
    const next = calls.get(operation.returned + 1);
    if (next !== undefined && next !== operation.client && random.chance(ties)) operation.returned++;
  }
  return doubt > 0 ? operations : operations.filter(({ outcome }) => outcome !== "unknown");
}

test("the verdict is that of the search", () => {
  expect(shortcut).toBe(holdOrder);
  const random = new SeededRandom(1);
  const counts = { valid: 0, violation: 0, unknown: 0 };
  const decided = { ...counts };
  const names: Record<string, number> = {};
  for (let run = 0; run < 10_000; run++) {
    const operations = randomHistory(random);
    const { is } = check({ operations }).linearizable(searched);
    counts[is]++;
    const quick = holdOrder(operations);
    if (quick === undefined) continue;
    decided[is]++;
    expect({ run, is }).toEqual({ run, is: quick === "valid" ? "valid" : "violation" });
    if (quick === "valid") continue;
    names[quick.name] = (names[quick.name] ?? 0) + 1;
    // What it is told of breaks the promise alone, as it does if nobody knows what the others did.
    expect(check({ operations: quick.operations }).linearizable(searched).is).toBe("violation");
  }
  expect(Object.keys(names).sort()).toEqual(["denied while free", "two holders"]);
  expect(Math.min(...Object.values(names))).toBeGreaterThan(100);
  expect(Math.min(counts.valid, counts.violation)).toBeGreaterThan(2_000);
  expect(decided.valid).toBeGreaterThan(counts.valid * 0.8);
  expect(decided.violation).toBeGreaterThan(counts.violation / 3);
});

test("a violation is told in words", () => {
  const explanationOf = (...lines: Told[]) => {
    const verdict = check(told(...lines)).linearizable(mutex());
    return verdict.is === "violation" ? verdict.anomalies[0].explanation : verdict.is;
  };
  expect(explanationOf(["a acquire", 0, 1], ["b acquire", 2, 3], ["a release", 4, 5])).toBe(
    "b's acquire() was granted while a's acquire() still held, for a's release() came only later.",
  );
  expect(explanationOf(["a acquire → false", 0, 1], ["b acquire", 2, 3])).toBe(
    "a's acquire() → false found it taken, but nobody got it before, " +
      "and b's acquire() began only after it.",
  );
  expect(explanationOf(["a acquire → false", 0, 2], ["b acquire", 1, 3])).toBe("valid");
});

test("a release that nobody answered is taken to have happened, where it must have been", () => {
  const lost = ["a acquire", "a release → ?", "b acquire", "b release"];
  expect(holdOrder(oneByOne(...lost, "a acquire").operations)).toBe("valid");
  expect(holdOrder(oneByOne("a acquire → ?", "b acquire").operations)).toBe("valid");
  // As it was not known to be free, whoever asked for it may have been told so.
  expect(holdOrder(oneByOne("a acquire", "a release → ?", "b acquire → false").operations)).toBe("valid");
});

test("it is left to the search where a client may have ended a hold otherwise", () => {
  const stray = told(
    ["a release → ?", 0],
    ["a acquire", 1, 12],
    ["b acquire → false", 3, 4],
    ["c acquire", 6, 9],
    ["c release", 10, 11],
  );
  const atOnce = told(["a acquire", 0, 5], ["a release", 1, 2], ["b acquire", 3, 4]);
  const late = told(["a release → ?", 0], ["a acquire", 1, 2], ["b acquire", 3, 4]);
  for (const history of [stray, atOnce, late]) {
    expect(holdOrder(history.operations)).toBeUndefined();
    expect(check(history).linearizable(mutex()).is).toBe("valid");
  }
});

test("a hundred thousand who wait at once are judged at once", () => {
  const operations = crowdOfWaiters(100_000);
  expect(check({ operations }, { timeoutMs: 60_000 }).linearizable(mutex()).is).toBe("valid");
});
