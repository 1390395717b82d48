// What a space holds in memory after many updates, with one snapshot at a time that is soon over.
import { Space, type Reads } from "lockstep/stm";
import type { Subjects, Workloads } from "../apart.js";
import { heapBytes } from "../heap.js";

/** After how many updates the heap is looked at. */
export const marks = [100_000, 500_000, 1_000_000];

const live = 1_000;
const updatesOfSnapshot = 100;

interface InUse {
  /** Does the update of that number, where the one before it by so many as are live was done. */
  readonly update: (update: number) => void;
  /** Which update is seen there. */
  readonly seen: (reads: Reads, update: number) => number | undefined;
}

export const subjects: Subjects = {
  "refs, written again": () => workloads(writtenRefs),
  "rows, written again": () => workloads(writtenRows),
  "rows, each put, indexed and deleted": () => workloads(passingRows),
};

function writtenRefs(space: Space): InUse {
  const refs = Array.from({ length: live }, () => space.ref({ update: -1 }));
  return {
    update: (update) => space.atomicallySync((tx) => tx.set(refs[update % live]!, { update })),
    seen: (reads, update) => reads.get(refs[update % live]!).update,
  };
}

function writtenRows(space: Space): InUse {
  const table = space.table<number, { update: number }>();
  return {
    update: (update) => space.atomicallySync((tx) => tx.put(table, update % live, { update })),
    seen: (reads, update) => reads.get(table, update % live)?.update,
  };
}

function passingRows(space: Space): InUse {
  const table = space.table<number, { update: number }>({
    indexes: { update: (row) => row.update },
  });
  return {
    update: (update) =>
      space.atomicallySync((tx) => {
        tx.put(table, update, { update });
        tx.delete(table, update - live);
      }),
    seen: (reads, update) => reads.get(table, update - live)?.update,
  };
}

/** By how many megabytes the heap has grown after so many updates. They go on where the last ended. */
function workloads(open: (space: Space) => InUse): Workloads {
  let space: Space;
  let use: InUse;
  let done = 0;
  let before = 0;
  const until = (mark: number) => {
    while (done < mark) {
      const first = done;
      const snapshot = space.snapshot();
      while (done < first + updatesOfSnapshot) use.update(done++);
      const seen = use.seen(snapshot, first);
      if (first >= live && seen !== first - live) throw new Error(`a snapshot saw ${String(seen)}`);
      snapshot.end();
    }
  };
  const begin = async () => {
    space = new Space();
    use = open(space);
    done = 0;
    // Code that is compiled once, and what is live all the time, are not what an update leaves.
    until(2 * live);
    before = await heapBytes();
  };
  return Object.fromEntries(
    marks.map((mark, index) => [
      String(mark),
      async () => {
        if (index === 0) await begin();
        until(mark);
        return ((await heapBytes()) - before) / 2 ** 20;
      },
    ]),
  );
}
