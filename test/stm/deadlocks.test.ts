import { ManualClock } from "lockstep/base";
import { Space, type LockingTransaction, type TransactionOptions } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { expectAtRest } from "./at-rest.js";
import { turns } from "./turns.js";

const pessimistic: TransactionOptions = { control: "pessimistic" };
const sorted: TransactionOptions = { control: "pessimistic", order: "sorted" };

type Step = (tx: LockingTransaction) => unknown;

/** Blocks whose steps are taken one at a time, in the order in which the numbers say whose turn it is. */
async function inTurns(space: Space, blocks: Step[][], order: number[], options = pessimistic) {
  const gates = blocks.map((steps) => steps.map(gate));
  const runs = blocks.map(() => 0);
  const finished: number[] = [];
  const done = blocks.map((steps, who) =>
    space
      .atomically(async (tx) => {
        runs[who]!++;
        for (const [at, step] of steps.entries()) {
          await gates[who]![at]!.opened;
          await step(tx);
        }
      }, options)
      .then(() => finished.push(who)),
  );
  const next = blocks.map(() => 0);
  for (const who of order) {
    gates[who]![next[who]!++]!.open();
    await turns(3);
  }
  await Promise.all(done);
  return { runs, finished };
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe("who waits in a circle", () => {
  for (const born of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    test(`of three gives way if it is the youngest: closed by ${born.at(-1)}`, async () => {
      const space = new Space();
      const refs = [0, 1, 2].map(() => space.ref(0));
      const blocks = refs.map((first, who): Step[] => {
        const second = refs[(who + 1) % 3]!;
        return [
          (tx) => tx.update(first, (value) => value + 1),
          (tx) => tx.update(second, (value) => value + 1),
        ];
      });
      const { runs } = await inTurns(space, blocks, [0, 1, 2, ...born]);
      expect(runs).toEqual([1, 1, 2]);
      expect(refs.map((ref) => ref.get())).toEqual([2, 2, 2]);
      expectAtRest(space, ...refs);
    });
  }

  for (const order of [
    [0, 1, 0, 1],
    [0, 1, 1, 0],
  ]) {
    test(`of two who would both write what both have read: ${order.join(", ")}`, async () => {
      const space = new Space();
      const ref = space.ref(0);
      const steps: Step[] = [(tx) => tx.get(ref), async (tx) => tx.set(ref, (await tx.get(ref)) + 1)];
      const { runs, finished } = await inTurns(space, [steps, steps], order);
      expect(runs).toEqual([1, 2]);
      expect(finished).toEqual([0, 1]);
      expect(ref.get()).toBe(2);
      expectAtRest(space, ref);
    });
  }

  test("of two who would each put a row into the range that the other has read", async () => {
    const space = new Space();
    const table = space.table<number, number>();
    const blocks = [0, 10].map((from): Step[] => {
      const count = async (tx: LockingTransaction) => (await tx.range(table, { from, to: from + 10 })).length;
      return [count, async (tx) => tx.put(table, 14 - from, await count(tx))];
    });
    const { runs } = await inTurns(space, blocks, [0, 1, 0, 1]);
    expect(runs).toEqual([1, 2]);
    // One after the other: the second sees the row of the first.
    expect(space.atomicallySync((tx) => tx.range(table))).toEqual([
      [4, 1],
      [14, 0],
    ]);
    expectAtRest(space, table);
  });

  test("of two who would each put a row where the other has looked by the index", async () => {
    const space = new Space();
    const table = space.table<string, { owner: string }, "owner">({ indexes: { owner: (row) => row.owner } });
    const blocks = ["ann", "bob"].map((owner, who): Step[] => [
      (tx) => tx.by(table, "owner", owner),
      (tx) => tx.put(table, `row of ${who}`, { owner: who === 0 ? "bob" : "ann" }),
    ]);
    const { runs } = await inTurns(space, blocks, [0, 1, 0, 1]);
    expect(runs).toEqual([1, 2]);
    expectAtRest(space, table);
  });

  test("and writes without awaiting it gives way, too, at the commit", async () => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    const blocks = [
      [a, b],
      [b, a],
    ].map((refs) =>
      refs.map(
        (ref): Step =>
          (tx) =>
            void tx.set(ref, 1),
      ),
    );
    const { runs } = await inTurns(space, blocks, [0, 1, 0, 1]);
    expect(runs).toEqual([1, 2]);
    expectAtRest(space, a, b);
  });

  test("by two waits at once gives way, however the circle came about", async () => {
    const space = new Space();
    const table = space.table<number, string>();
    const put =
      (key: number): Step =>
      (tx) =>
        tx.put(table, key, "");
    const get =
      (key: number): Step =>
      (tx) =>
        tx.get(table, key);
    const blocks: Step[][] = [
      [put(3), () => undefined],
      [get(4), () => undefined],
      [put(8), get(4), put(4)],
      [get(1), (tx) => Promise.all([tx.range(table, { from: 0, to: 5 }), tx.get(table, 8)])],
    ];
    // The third holds 8 and waits for the second; the fourth waits for the first and for the third. When the
    // first has gone, the fourth has the range, and with it what the third waits for.
    const { finished } = await inTurns(space, blocks, [0, 1, 2, 2, 3, 3, 2, 0, 1]);
    expect(finished.toSorted()).toEqual([0, 1, 2, 3]);
    expectAtRest(space, table);
  });

  test("is served as soon as it may go ahead, though it waits in line", async () => {
    const space = new Space();
    const table = space.table<number, string>();
    const blocks: Step[][] = [
      [(tx) => tx.put(table, 3, ""), () => undefined],
      [(tx) => tx.get(table, 7), (tx) => tx.put(table, 3, "")],
      [(tx) => tx.put(table, 7, "")],
      [(tx) => Promise.all([tx.range(table, { from: 0, to: 10 }), tx.get(table, 3)])],
    ];
    const { finished } = await inTurns(space, blocks, [0, 1, 2, 3, 0, 1]);
    expect(finished.toSorted()).toEqual([0, 1, 2, 3]);
    expectAtRest(space, table);
  });
});

describe('order: "sorted"', () => {
  test("gives back what comes later, and locks all in order the next time", async () => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    const blocks = [
      [a, b],
      [b, a],
    ].map((refs) =>
      refs.map(
        (ref): Step =>
          (tx) =>
            tx.update(ref, (value) => value + 1),
      ),
    );
    const { runs } = await inTurns(space, blocks, [0, 1, 1, 0], sorted);
    // Though it is the older one's lock that the younger waits for, only who is out of order runs again.
    expect(runs).toEqual([1, 2]);
    expect([a.get(), b.get()]).toEqual([2, 2]);
    expectAtRest(space, a, b);
  });

  test("waits for a lock that it planned to share, and to have alone", async () => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    const blocks: Step[][] = [
      [(tx) => tx.getForUpdate(a), () => undefined],
      [(tx) => tx.get(b), (tx) => tx.getForUpdate(a), (tx) => tx.set(b, 1)],
      [(tx) => tx.get(b), () => undefined],
    ];
    const { runs } = await inTurns(space, blocks, [0, 1, 1, 0, 2, 1, 2], sorted);
    expect(runs).toEqual([1, 3, 1]);
    expectAtRest(space, a, b);
  });
});

describe("who must give way", () => {
  test("leaves no rejection behind that nobody could have awaited", async () => {
    const space = new Space();
    const [a, b] = [space.ref(0), space.ref(0)];
    const blocks: Step[][] = [
      [(tx) => tx.set(a, 1), (tx) => tx.set(b, 1)],
      [(tx) => tx.set(b, 2), (tx) => Promise.all([tx.get(a), turns(2).then(() => tx.set(b, 3))])],
      [(tx) => tx.get(space.ref(0)), () => undefined],
    ];
    const { runs } = await inTurns(space, blocks, [0, 1, 1, 0, 2, 2]);
    expect(runs).toEqual([1, 2, 1]);
    // A promise that is awaited too late is the trap of all promises, but of this one nobody could know.
    const late: Step = async (tx) => {
      const found = tx.get(a);
      await turns(5);
      await found;
    };
    const again = await inTurns(
      space,
      [
        [(tx) => tx.set(a, 1), (tx) => tx.set(b, 1)],
        [(tx) => tx.set(b, 2), late],
      ],
      [0, 1, 1, 0],
    );
    expect(again.runs).toEqual([1, 2]);
    expectAtRest(space, a, b);
  });
});

describe("who has gone", () => {
  test("by a time-out waits for nothing and keeps nobody waiting", async () => {
    const clock = new ManualClock();
    const space = new Space({ clock });
    const [a, b] = [space.ref(0), space.ref(0)];
    const hold = gate();
    const oldest = space.atomically(async (tx) => {
      await tx.set(a, 1);
      await hold.opened;
    }, pessimistic);
    const both: Step = async (tx) => {
      await tx.set(b, 2);
      await tx.set(a, 2);
    };
    const impatient = space.atomically(both, { ...pessimistic, timeoutMs: 10 });
    const outcome = impatient.catch((error: unknown) => error);
    const patient = space.atomically((tx) => tx.update(b, (value) => value + 1), pessimistic);
    await clock.advance(10);
    expect(await outcome).toEqual(expect.objectContaining({ code: "timeout" }));
    expect(await patient).toBe(1);
    hold.open();
    await oldest;
    expectAtRest(space, a, b);
  });

  test("by an error leaves no lock that it waited for", async () => {
    const space = new Space();
    const ref = space.ref(0);
    const hold = gate();
    const oldest = space.atomically(async (tx) => {
      await tx.set(ref, 1);
      await hold.opened;
    }, pessimistic);
    const missing = new Error("as if something was missing");
    const failed = space.atomically(async (tx) => {
      void tx.set(ref, 2);
      await turns(1);
      throw missing;
    }, pessimistic);
    await expect(failed).rejects.toBe(missing);
    hold.open();
    await oldest;
    await turns(3);
    expectAtRest(space, ref);
  });

  test("by a signal in the very turn takes no further lock", async () => {
    const space = new Space();
    const table = space.table<number, { owner: string }, "owner">({ indexes: { owner: (row) => row.owner } });
    const leaving = new AbortController();
    const block = async (tx: LockingTransaction) => {
      void tx.put(table, 1, { owner: "ann" });
      leaving.abort("enough");
      await new Promise(() => undefined);
    };
    const gone = space.atomically(block, { ...pessimistic, signal: leaving.signal });
    await expect(gone).rejects.toBe("enough");
    await turns(3);
    expectAtRest(space, table);
  });
});
