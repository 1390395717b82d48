import { SeededRandom } from "lockstep/base";
import { Space, type Control, type LockingTransaction, type Ref } from "lockstep/stm";
import { pauseNow } from "./pause.js";

export interface Sums {
  /** How many times all was added up. */
  readonly added: number;
  /** What was wrong, also if it was seen by an attempt that came to nothing. */
  readonly wrong: readonly string[];
}

const accounts = 1000;
const each = 100;

/** Money goes from account to account, while readers of all kinds add it up. */
export async function addUpWhileTransferring(
  seed: number,
  control: Control,
  transfers: number,
): Promise<Sums> {
  const random = new SeededRandom(seed);
  const space = new Space();
  const refs = Array.from({ length: accounts }, () => space.ref(each));
  const wrong: string[] = [];
  let added = 0;
  let left = transfers;

  const transfer = async () => {
    while (left-- > 0) {
      const [from, to] = twoOf(random, refs);
      const amount = 1 + random.below(20);
      const pause = random.next();
      await space.atomically(
        async (tx: LockingTransaction) => {
          await tx.set(from, (await tx.get(from)) - amount);
          await pauseNow(pause);
          await tx.set(to, (await tx.get(to)) + amount);
        },
        { control },
      );
    }
  };
  const judge = (who: string, sum: number) => {
    added++;
    if (sum !== accounts * each) wrong.push(`seed ${seed}, ${control}: ${who} adds up to ${sum}`);
  };
  const addUp = async (tx: Pick<LockingTransaction, "get">, who: string) => {
    let sum = 0;
    for (const [place, ref] of refs.entries()) {
      sum += await tx.get(ref);
      if (place % 100 === 0) await pauseNow(place / accounts);
    }
    judge(who, sum);
  };
  const readers = {
    "a transaction": () =>
      space.atomically((tx: LockingTransaction) => addUp(tx, "a transaction"), { control }),
    "one that only reads": () =>
      space.atomically((tx) => addUp(tx, "one that only reads"), { readOnly: true }),
    "a snapshot": async () => {
      using snapshot = space.snapshot();
      await addUp(snapshot, "a snapshot");
    },
  };
  const read = async (reader: () => Promise<void>) => {
    while (left > 0) await reader();
    await reader();
  };
  await Promise.all([...Array.from({ length: 8 }, transfer), ...Object.values(readers).map(read)]);
  judge(
    "the end",
    refs.reduce((sum, ref) => sum + ref.get(), 0),
  );
  return { added, wrong };
}

function twoOf<T>(random: SeededRandom, refs: readonly Ref<T>[]): [Ref<T>, Ref<T>] {
  const first = random.below(refs.length);
  const other = (first + 1 + random.below(refs.length - 1)) % refs.length;
  return [refs[first]!, refs[other]!];
}
