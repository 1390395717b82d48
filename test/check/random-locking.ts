import type { SeededRandom } from "lockstep/base";
import type { Operation } from "lockstep/check";

/** What clients of a lock see who acquire and release it by turns; sometimes of two locks, or in disorder. */
export function randomLocking(random: SeededRandom, isFenced: boolean): Operation[] {
  const clients = 2 + random.below(2);
  const doubt = random.chance(0.5) ? 0.3 : 0;
  const operations: { -readonly [Field in keyof Operation]: Operation[Field] }[] = [];
  const open: (number | undefined)[] = [];
  const next = Array.from({ length: clients }, () => "acquire");
  let token = 0;
  for (let moment = 0; moment < 16; moment++) {
    const client = random.below(clients);
    const operation = operations[open[client] ?? -1];
    if (operation === undefined) {
      const name = random.chance(0.1) ? "acquire" : next[client]!;
      open[client] = operations.length;
      operations.push({
        client,
        name,
        args: [],
        result: undefined,
        outcome: "unknown",
        invoked: moment,
        returned: Infinity,
      });
    } else {
      open[client] = undefined;
      next[client] = operation.name === "acquire" ? "release" : "acquire";
      if (random.chance(doubt)) continue;
      operation.outcome = random.chance(0.1) ? "fail" : "ok";
      operation.returned = moment;
      if (isFenced && operation.name === "acquire") operation.result = random.chance(0.1) ? token : ++token;
    }
  }
  return operations;
}
