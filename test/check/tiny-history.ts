import type { SeededRandom } from "lockstep/base";
import type { Operation } from "lockstep/check";

/** Reads, writes and changes of one or two keys, with answers that are right now and then. */
export function tinyHistory(random: SeededRandom, overlaps: boolean, repeats: number, most = 6): Operation[] {
  const count = 2 + random.below(most - 1);
  const clients = 1 + random.below(3);
  const keys = 1 + random.below(2);
  const drafts = Array.from({ length: count }, (_, index) => {
    const name = random.chance(0.5) ? "read" : random.chance(0.8) ? "write" : "cas";
    const value = random.chance(repeats) ? random.below(index + 1) || null : index + 1;
    return { name, key: random.below(keys), value };
  });
  return drafts.map(({ name, key, value }, index): Operation => {
    const written = drafts.filter(
      (each) => each.name !== "read" && each.key === key && each !== drafts[index],
    );
    const seen = random.chance(0.2) ? null : (written[random.below(written.length)]?.value ?? null);
    const lasts = overlaps && random.chance(0.4) ? 2 * (1 + random.below(3)) : 0;
    const isLost = random.chance(0.05);
    const answer = name === "read" ? seen : name === "cas" ? true : undefined;
    return {
      client: random.below(clients),
      name,
      args: name === "read" ? [key] : name === "write" ? [key, value] : [key, seen, value],
      result: isLost ? undefined : answer,
      outcome: isLost ? "unknown" : "ok",
      invoked: index * 2,
      // No two answers at once.
      returned: isLost ? Infinity : index * 2 + 1 + lasts + index / 100,
    };
  });
}
