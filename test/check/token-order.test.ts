// A fenced mutex names its own order: judged by it, every history gets the verdict of the search.
import { SeededRandom } from "lockstep/base";
import { check, fencedMutex, type Operation } from "lockstep/check";
import { expect, test } from "vitest";
import { tokenOrder } from "../../src/check/linearizability/token-order.js";

/**
 * Grants in their order, with calls that overlap at random, and at times a token or a moment that is wrong.
 */
function randomHistory(random: SeededRandom): Operation[] {
  const moments: { at: number; write: (moment: number) => void }[] = [];
  const drafts: Record<string, unknown>[] = [];
  const call = (client: string, name: string, from: number, to: number, result?: bigint) => {
    const draft = { client, name, args: [], result, outcome: "ok", invoked: 0, returned: 0 };
    drafts.push(draft);
    moments.push({ at: from, write: (moment) => (draft.invoked = moment) });
    moments.push({ at: to, write: (moment) => (draft.returned = moment) });
  };
  const size = 1 + random.below(5);
  for (let turn = 0; turn < size; turn++) {
    const token = random.chance(0.1) ? BigInt(random.below(size)) : BigInt(turn);
    const [granted, released] = [turn * 4, turn * 4 + 2];
    const long = () => random.next() * 6;
    call(`${turn}`, "acquire", granted - long(), granted + random.next(), token);
    const late = random.chance(0.1) ? 6 : 0;
    if (random.chance(0.9))
      call(`${turn}`, "release", released + late - random.next(), released + late + long());
  }
  moments.sort((a, b) => a.at - b.at).forEach(({ write }, moment) => write(moment));
  const operations = drafts as unknown as Operation[];
  return operations.filter((one) => one.returned > one.invoked).sort((a, b) => a.invoked - b.invoked);
}

test("the verdict is that of the search", () => {
  const random = new SeededRandom(1);
  const { shortcut, ...searched } = fencedMutex();
  expect(shortcut).toBe(tokenOrder);
  const counts = { valid: 0, violation: 0, unknown: 0 };
  let decided = 0;
  for (let run = 0; run < 5000; run++) {
    const operations = randomHistory(random);
    const verdict = check({ operations }).linearizable(searched).is;
    counts[verdict]++;
    const quick = tokenOrder(operations);
    if (quick !== undefined) expect({ run, verdict }).toEqual({ run, verdict: quick });
    if (quick !== undefined) decided++;
  }
  expect(counts.unknown).toBe(0);
  expect(Math.min(counts.valid, counts.violation)).toBeGreaterThan(500);
  // Those that are left are of clients that call twice at once.
  expect(decided).toBeGreaterThan(counts.valid * 0.7);
});

test("ten thousand who want it at once are judged at once", () => {
  const count = 10_000;
  const operations = Array.from({ length: count }, (_, index): Operation => {
    const call = { client: index, args: [], outcome: "ok" } as const;
    return { ...call, name: "acquire", result: index, invoked: index, returned: count + 2 * index };
  });
  const releases = operations.slice(0, -1).map((acquire): Operation => {
    const { client, returned } = acquire;
    return {
      ...acquire,
      client,
      name: "release",
      result: undefined,
      invoked: returned + 0.25,
      returned: returned + 0.5,
    };
  });
  expect(check({ operations: [...operations, ...releases] }).linearizable(fencedMutex()).is).toBe("valid");
});
