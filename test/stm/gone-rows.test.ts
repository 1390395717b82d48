// Rows that are not there, or not any more: they are read like all others.
import { ManualClock } from "lockstep/base";
import {
  Space,
  type Isolation,
  type LockingTransaction,
  type ReadingTransaction,
  type Ref,
} from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { follow, refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const weak = ["read-committed", "repeatable-read"] as const;
const waitsForNobody = ["optimistic", "adaptive"] as const;

describe.each(weak.flatMap((isolation) => waitsForNobody.map((control) => ({ isolation, control }))))(
  "at $isolation, $control, a deleted row that was read for update",
  (options) => {
    /** Reads the row for update; lets the other do something, once; and says what it saw in the end. */
    async function play(meanwhile: (world: ReturnType<typeof deleted>) => void) {
      const world = deleted();
      const { space, table, seen } = world;
      let runs = 0;
      await space.atomically(async (tx: LockingTransaction) => {
        const row = await tx.getForUpdate(table, 1);
        await turn();
        if (++runs === 1) meanwhile(world);
        await tx.set(seen, row ?? "nothing");
      }, options);
      world.snapshot.end();
      expectAtRest(space, table, seen);
      return { runs, seen: seen.get() };
    }

    test("must not have come again", async () => {
      const outcome = await play(({ space, table }) => {
        space.atomicallySync((tx) => tx.put(table, 1, "others"));
      });
      expect(outcome).toEqual({ runs: 2, seen: "others" });
    });

    test("must not have come again, though what was left of it is forgotten", async () => {
      const outcome = await play(({ space, table, snapshot }) => {
        snapshot.end();
        space.atomicallySync((tx) => tx.put(table, 1, "others"));
      });
      expect(outcome).toEqual({ runs: 2, seen: "others" });
    });

    test("may be forgotten", async () => {
      const outcome = await play(({ snapshot }) => {
        snapshot.end();
      });
      expect(outcome).toEqual({ runs: 1, seen: "nothing" });
    });
  },
);

/** A table in which one row was deleted, of which something is left for a snapshot. */
function deleted() {
  const space = new Space();
  const table = space.table<number, string>();
  const seen = space.ref("");
  space.atomicallySync((tx) => tx.put(table, 1, "first"));
  const snapshot = space.snapshot();
  space.atomicallySync((tx) => tx.delete(table, 1));
  return { space, table, seen, snapshot };
}

describe.each([{ readOnly: true }, { isolation: "repeatable-read" }])(
  "a transaction whose moment is kept no longer, %j, is lost when it reads a row that is gone since",
  (options) => {
    const maxSnapshotAgeMs = 10;

    async function play(read: (tx: ReadingTransaction, table: ReturnType<typeof people>) => unknown) {
      const clock = new ManualClock();
      const space = new Space({ clock, maxSnapshotAgeMs });
      const table = people(space);
      space.atomicallySync((tx) => tx.put(table, 1, { name: "ann" }));
      const others = Array.from({ length: 200 }, () => space.ref(0));
      const overwrite = (refs: readonly Ref<number>[]) => {
        for (const ref of refs) space.atomicallySync((tx) => tx.set(ref, 1));
      };
      const outcome = await refusal(() =>
        space.atomically(
          async (tx: ReadingTransaction) => {
            expect(tx.get(table, 1)).toEqual({ name: "ann" });
            await turn();
            space.atomicallySync((other) => other.delete(table, 1));
            overwrite(others.slice(0, 100));
            clock.jump(maxSnapshotAgeMs + 1);
            overwrite(others.slice(100));
            read(tx, table);
          },
          options as { isolation: Isolation },
        ),
      );
      expectAtRest(space, table);
      return outcome;
    }

    test("by its key", async () => {
      expect(await play((tx, table) => tx.get(table, 1))).toBe("lost");
    });

    test("in a range", async () => {
      expect(await play((tx, table) => tx.range(table))).toBe("lost");
    });

    test("by an index", async () => {
      expect(await play((tx, table) => tx.by(table, "name", "ann"))).toBe("lost");
    });

    test("by a predicate", async () => {
      expect(await play((tx, table) => tx.where(table, () => true))).toBe("lost");
    });
  },
);

function people(space: Space) {
  return space.table<number, { name: string }, "name">({ indexes: { name: (row) => row.name } });
}

test("who has looked for ten thousand rows that are not there is woken by one of them", async () => {
  const space = new Space();
  const table = space.table<number, string>();
  const finding = follow(
    space.atomically((tx) => {
      for (let key = 0; key < 10_000; key++) if (tx.get(table, key) !== undefined) return key;
      return tx.retry();
    }),
  );
  await turn();
  expect(await refusal(() => space.atomically((tx) => tx.put(table, 20_000, "nobody's")))).toBe("none");
  await turn();
  expect(finding.is).toBe("waits");
  expect(await refusal(() => space.atomically((tx) => tx.put(table, 5_000, "here")))).toBe("none");
  expect(await finding.promise).toBe(5_000);
  expectAtRest(space, table);
});
