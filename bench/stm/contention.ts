// A hundred tasks whose transactions each add one to two refs out of few or many: the same code under all
// three controls.
import { Space, type Control, type LockingTransaction, type Ref } from "lockstep/stm";
import type { Subjects, Workloads } from "../apart.js";
import { mustBe, Pairs, tallied, type Tally } from "./tally.js";
import { warm } from "./warm.js";

export const controls: Control[] = ["optimistic", "pessimistic", "adaptive"];

const tasks = 100;
const settled = Promise.resolve();

/** Their place is the number of refs. */
export const subjects: Subjects = Object.fromEntries(
  controls.map((control) => [control, (place) => warm(workloads(control, Number(place)))]),
);

/** Commits a second, and calls of a block for each of them. */
function workloads(control: Control, count: number): Workloads {
  let callsPerCommit = NaN;
  return {
    async [`commits, ${count}`]() {
      const space = new Space();
      const refs = Array.from({ length: count }, () => space.ref(0));
      const task = count === 1 ? onOne(space, control, refs[0]!) : onTwo(space, control, refs);
      const tally = await tallied(tasks, task);
      mustBe(
        tally.commits * Math.min(count, 2),
        refs.map((ref) => ref.get()),
      );
      ({ callsPerCommit } = tally);
      return tally.perSecond;
    },
    [`calls, ${count}`]: () => callsPerCommit,
  };
}

function onOne(space: Space, control: Control, ref: Ref<number>) {
  return async (tally: Tally) => {
    for (; tally.goesOn(); tally.commits++) {
      await space.atomically(
        async (tx: LockingTransaction) => {
          tally.calls++;
          const value = await tx.getForUpdate(ref);
          await settled;
          void tx.set(ref, value + 1);
        },
        { control },
      );
    }
  };
}

function onTwo(space: Space, control: Control, refs: readonly Ref<number>[]) {
  const pairs = new Pairs(refs.length);
  return async (tally: Tally) => {
    for (; tally.goesOn(); tally.commits++) {
      const [one, other] = pairs.next();
      await space.atomically(
        async (tx: LockingTransaction) => {
          tally.calls++;
          const value = await tx.getForUpdate(refs[one]!);
          const another = await tx.getForUpdate(refs[other]!);
          await settled;
          void tx.set(refs[one]!, value + 1);
          void tx.set(refs[other]!, another + 1);
        },
        { control },
      );
    }
  };
}
