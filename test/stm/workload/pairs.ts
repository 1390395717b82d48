import { SeededRandom } from "lockstep/base";
import { Space, type LockingTransaction, type Ref } from "lockstep/stm";
import { pauseNow } from "./pause.js";
import type { Manner } from "./promised.js";

export interface Pairs {
  /** How many blocks looked at a pair, those that came to nothing included. */
  readonly looks: number;
  /** What was seen of two that are always the same, and were not. */
  readonly unlike: readonly string[];
}

interface Pair {
  readonly x: Ref<number>;
  readonly y: Ref<number>;
  /** The row that has the same number. */
  readonly row: number;
}

/**
 * x and y are always written together, and so is a row. No block ever sees them differ: not even one that
 * will have to be run again, for it might never come to that, or do harm before.
 */
export async function lookAtPairs(seed: number, manners: readonly Manner[], rounds: number): Promise<Pairs> {
  const random = new SeededRandom(seed);
  const space = new Space();
  const rows = space.table<number, { value: number }>();
  const pairs = Array.from({ length: 3 }, (_, row): Pair => ({ x: space.ref(0), y: space.ref(0), row }));
  const unlike: string[] = [];
  let looks = 0;

  const look = async (tx: LockingTransaction, { x, y, row }: Pair, pause: number, who: string) => {
    const first = await tx.get(x);
    await pauseNow(pause);
    const found = await tx.range(rows, { from: row, to: row + 1 });
    await pauseNow(pause);
    const seen = [first, found[0]?.[1].value ?? 0, await tx.get(y)];
    looks++;
    if (new Set(seen).size > 1) unlike.push(`seed ${seed}, ${who}: ${seen.join(", ")}`);
    return first;
  };
  const client = async () => {
    for (let round = 0; round < rounds; round++) {
      const pair = pairs[random.below(pairs.length)]!;
      const other = pairs[random.below(pairs.length)]!;
      const manner = manners[random.below(manners.length)]!;
      const [pause, writes] = [random.next(), random.chance(0.5)];
      const who = `${manner.isolation}, ${manner.control}`;
      await space.atomically(async (tx: LockingTransaction) => {
        const value = (await look(tx, pair, pause, who)) + 1;
        await look(tx, other, pause, who);
        if (!writes) return;
        await tx.set(pair.x, value);
        await tx.put(rows, pair.row, { value });
        await pauseNow(pause);
        await tx.set(pair.y, value);
      }, manner as never);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return { looks, unlike };
}
