import { ManualClock, SeededRandom } from "lockstep/base";
import { Space, type Isolation, type Ref } from "lockstep/stm";
import { describe, expect, test } from "vitest";

const maxSnapshotAgeMs = 1_000;
const lost: unknown = expect.objectContaining({ code: "lost" });

interface World {
  readonly clock: ManualClock;
  readonly space: Space;
  readonly refs: Ref<number>[];
}

function open(count = 200): World {
  const clock = new ManualClock();
  const space = new Space({ clock, maxSnapshotAgeMs });
  return { clock, space, refs: Array.from({ length: count }, () => space.ref(0)) };
}

function overwrite({ space }: World, refs: readonly Ref<number>[]): void {
  for (const ref of refs) space.atomicallySync((tx) => tx.set(ref, ref.get() + 1));
}

/** Ends whoever has looked at the past since before this, by so much that was not overwritten before. */
function growOld(world: World): void {
  const { clock, space } = world;
  const others = Array.from({ length: 200 }, () => space.ref(0));
  overwrite(world, others.slice(0, 100));
  clock.jump(maxSnapshotAgeMs + 1);
  overwrite(world, others.slice(100));
}

describe("a snapshot", () => {
  test("sees its moment, until it is ended", () => {
    const world = open();
    const { space, refs } = world;
    const table = space.table<number, { name: string }>();
    space.atomicallySync((tx) => tx.put(table, 1, { name: "ann" }));
    const snapshot = space.snapshot();
    overwrite(world, refs);
    space.atomicallySync((tx) => tx.delete(table, 1));
    expect(snapshot.get(refs[0]!)).toBe(0);
    expect(snapshot.range(table)).toEqual([[1, { name: "ann" }]]);
    expect(space.versions.kept).toBe(refs.length + 1);
    snapshot.end();
    snapshot.end();
    expect(space.versions.kept).toBe(0);
    expect(() => snapshot.get(refs[0]!)).toThrow(expect.objectContaining({ code: "misuse" }));
    expect(() => snapshot.range(table)).toThrow(expect.objectContaining({ code: "misuse" }));
  });

  test("is ended by using and by await using", async () => {
    const world = open();
    const { space, refs } = world;
    {
      using first = space.snapshot();
      await using second = space.snapshot();
      overwrite(world, refs);
      expect(first.get(refs[0]!)).toBe(0);
      expect(second).not.toBe(first);
      expect(space.versions.kept).toBe(200);
    }
    expect(space.versions.kept).toBe(0);
  });

  test("two of one moment end each for itself", () => {
    const world = open();
    const { space, refs } = world;
    const [first, second] = [space.snapshot(), space.snapshot()];
    overwrite(world, refs);
    first.end();
    first.end();
    expect(second.get(refs[0]!)).toBe(0);
    second.end();
    expect(space.versions.kept).toBe(0);
  });
});

describe("maxSnapshotAgeMs", () => {
  test("ends a forgotten snapshot and keeps the others right", () => {
    const world = open();
    const { clock, space, refs } = world;
    const forgotten = space.snapshot();
    overwrite(world, refs.slice(0, 100));
    clock.jump(maxSnapshotAgeMs);
    const young = space.snapshot();
    clock.jump(1);
    expect(refs.every((ref) => forgotten.get(ref) === 0)).toBe(true);
    // What is overwritten now is kept for the young one; and it is seen how old the other is.
    overwrite(world, refs);
    expect(refs.map((ref) => young.get(ref))).toEqual(refs.map((_, at) => (at < 100 ? 1 : 0)));
    young.end();
    expect(() => forgotten.get(refs[0]!)).toThrow(lost);
    expect(() => forgotten.range(space.table())).toThrow(lost);
    expect(space.versions.kept).toBe(0);
    forgotten.end();
    expect(() => forgotten.get(refs[0]!)).toThrow(expect.objectContaining({ code: "misuse" }));
  });

  test("ends many forgotten snapshots, though little is kept for each", () => {
    const { clock, space, refs } = open(1);
    for (let count = 0; count < 1_000; count++) {
      space.snapshot();
      clock.jump(maxSnapshotAgeMs);
      space.atomicallySync((tx) => tx.set(refs[0]!, count + 1));
    }
    expect(space.versions.kept).toBeLessThan(200);
  });

  test("does not end one for which little is kept, however old", () => {
    const { clock, space, refs } = open();
    const snapshot = space.snapshot();
    clock.jump(1_000 * maxSnapshotAgeMs);
    space.atomicallySync((tx) => tx.set(refs[0]!, 1));
    clock.jump(1_000 * maxSnapshotAgeMs);
    expect(snapshot.get(refs[0]!)).toBe(0);
    snapshot.end();
    expect(space.versions.kept).toBe(0);
  });

  test("of Infinity ends nobody", () => {
    const clock = new ManualClock();
    const space = new Space({ clock, maxSnapshotAgeMs: Infinity });
    const refs = Array.from({ length: 200 }, () => space.ref(0));
    using snapshot = space.snapshot();
    clock.jump(1e12);
    for (const ref of refs) space.atomicallySync((tx) => tx.set(ref, 1));
    expect(refs.every((ref) => snapshot.get(ref) === 0)).toBe(true);
  });

  for (const seed of [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]) {
    test(`ends only the old, and the others see their moment: seed ${seed}`, () => {
      const random = new SeededRandom(seed);
      const { clock, space, refs } = open();
      const all: { seen: number[]; snapshot: ReturnType<Space["snapshot"]>; bornAt: number }[] = [];
      const isLost = ({ snapshot, seen, bornAt }: (typeof all)[number]) => {
        try {
          expect(refs.map((ref) => snapshot.get(ref))).toEqual(seen);
          return false;
        } catch (error) {
          expect(error).toEqual(lost);
          expect(clock.now() - bornAt).toBeGreaterThan(maxSnapshotAgeMs);
          return true;
        }
      };
      let ended = 0;
      for (let steps = 0; steps < 4_000; steps++) {
        clock.jump(random.below(4));
        const ref = refs[random.below(refs.length)]!;
        space.atomicallySync((tx) => tx.set(ref, steps));
        if (random.chance(0.01)) {
          all.push({ seen: refs.map((each) => each.get()), snapshot: space.snapshot(), bornAt: clock.now() });
        }
        if (random.chance(0.007) && all.length > 0)
          all.splice(random.below(all.length), 1)[0]!.snapshot.end();
        if (steps % 200 === 0) ended += all.filter(isLost).length;
      }
      expect(ended).toBeGreaterThan(0);
      for (const { snapshot } of all) snapshot.end();
      expect(space.versions.kept).toBe(0);
    });
  }
});

describe("a transaction that looks at the past for too long", () => {
  const levels: [Isolation, boolean][] = [
    ["repeatable-read", false],
    ["serializable", false],
    ["serializable", true],
  ];
  for (const [isolation, readOnly] of levels) {
    test(`is lost when it reads: ${isolation}${readOnly ? ", readOnly" : ""}`, async () => {
      const world = open();
      const { space, refs } = world;
      const [first, second] = refs as [Ref<number>, Ref<number>];
      const transaction = space.atomically(
        async (tx) => {
          tx.get(first);
          await Promise.resolve();
          growOld(world);
          overwrite(world, refs);
          tx.get(second);
        },
        { isolation, readOnly } as { isolation: Isolation },
      );
      await expect(transaction).rejects.toEqual(lost);
      expect(space.versions.kept).toBe(0);
      expect(space.underWay.size).toBe(0);
    });
  }

  test("does not commit what rows that are gone since made it write", async () => {
    const world = open();
    const { space } = world;
    const table = space.table<number, { color: string }, "color">({ indexes: { color: (row) => row.color } });
    const red = () => space.atomicallySync((tx) => tx.by(table, "color", "red").length);
    for (const change of ["delete", "recolor"]) {
      space.atomicallySync((tx) => tx.put(table, 1, { color: "red" }));
      const count = space.ref(-1);
      const transaction = space.atomically(async (tx) => {
        const found = tx.by(table, "color", "red").length;
        if (found === 1) {
          await Promise.resolve();
          space.atomicallySync((other) => {
            if (change === "delete") other.delete(table, 1);
            else other.put(table, 1, { color: "blue" });
          });
          growOld(world);
        }
        tx.set(count, found);
      });
      const outcome = await transaction.catch((error: unknown) => error);
      // It was lost, or was run again on what is there now.
      if (outcome === undefined) expect(count.get()).toBe(red());
      else expect(outcome).toEqual(lost);
    }
  });

  test("does not commit, though it became too old only while it waited for a lock", async () => {
    const world = open();
    const { space } = world;
    const table = space.table<number, string>();
    const count = space.ref(-1);
    space.atomicallySync((tx) => tx.put(table, 1, "row"));
    let letGo!: () => void;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const holder = space.atomically(
      async (tx) => {
        await tx.getForUpdate(count);
        await held;
      },
      { control: "pessimistic" },
    );
    const counting = space.atomically((tx) => tx.set(count, tx.range(table).length));
    const outcome = counting.catch((error: unknown) => error);
    await Promise.resolve();
    space.atomicallySync((tx) => tx.delete(table, 1));
    growOld(world);
    letGo();
    await holder;
    if ((await outcome) === undefined) expect(count.get()).toBe(0);
    else expect(await outcome).toEqual(lost);
  });

  test("loses no row that is put again just then", () => {
    const clock = new ManualClock();
    const space = new Space({ clock, maxSnapshotAgeMs });
    for (let others = 0; others < 130; others++) {
      const table = space.table<number, string>();
      const refs = Array.from({ length: others }, () => space.ref(0));
      space.atomicallySync((tx) => tx.put(table, 1, "first"));
      const first = space.snapshot();
      space.atomicallySync((tx) => tx.delete(table, 1));
      const second = space.snapshot();
      for (const ref of refs) space.atomicallySync((tx) => tx.set(ref, 1));
      clock.jump(maxSnapshotAgeMs + 1);
      space.atomicallySync((tx) => tx.put(table, 1, "second"));
      expect(space.atomicallySync((tx) => tx.get(table, 1))).toBe("second");
      first.end();
      second.end();
    }
  });
});
