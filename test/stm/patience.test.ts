// Callers whose signal aborts, or whose time is up: wherever their transaction is at that moment, it has
// changed nothing, and leaves nothing behind.
import { ManualClock } from "lockstep/base";
import { orElse, Space, type Control, type LockingTransaction, type TransactionOptions } from "lockstep/stm";
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { abortable, follow, HandClock, refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

class World {
  readonly clock = new ManualClock();
  readonly space = new Space({ clock: this.clock });
  readonly a = this.space.ref(0);
  readonly b = this.space.ref(0);
  readonly rows = this.space.table<number, string, "text">({ indexes: { text: (row) => row } });

  /** Locks `a` and the table, until told to let go. */
  async hold(): Promise<() => Promise<void>> {
    let letGo!: () => void;
    const released = new Promise<void>((resolve) => (letGo = resolve));
    const holder = this.space.atomically(
      async (tx) => {
        await tx.getForUpdate(this.a);
        await tx.where(this.rows, () => true);
        await released;
      },
      { control: "pessimistic" },
    );
    await turn();
    return () => {
      letGo();
      return holder;
    };
  }

  expectUntouched() {
    expect(this.state).toEqual([0, 0, 0]);
    this.expectAtRest();
  }

  expectAtRest() {
    expectAtRest(this.space, this.a, this.b, this.rows);
  }

  get state() {
    return [this.a.get(), this.b.get(), this.rows.rows.byKey.size];
  }
}

type Begin = (world: World, control: Control, patience: TransactionOptions) => Promise<unknown>;

/** Transactions that do not come to an end by themselves. */
const endless: Record<string, Begin> = {
  "in the middle of its block": ({ space, a, rows }, control, patience) =>
    space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(a, (await tx.get(a)) + 1);
        await tx.put(rows, 1, "one");
        await new Promise(() => undefined);
      },
      { control, ...patience },
    ),
  "asleep in tx.retry": ({ space, a, b, rows }, control, patience) =>
    space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(b, 1);
        await tx.by(rows, "text", "one");
        await tx.get(rows, 7);
        if ((await tx.get(a)) === 0) tx.retry();
      },
      { control, ...patience },
    ),
  "asleep in orElse": ({ space, a, b, rows }, control, patience) =>
    space.atomically(
      orElse(
        async (tx: LockingTransaction) => ((await tx.get(a)) === 0 ? tx.retry() : "a"),
        async (tx: LockingTransaction) => ((await tx.range(rows)).length === 0 ? tx.retry() : "rows"),
        async (tx: LockingTransaction) => ((await tx.get(b)) === 0 ? tx.retry() : "b"),
      ),
      { control, ...patience },
    ),
};

/** Those who come to their end when what they wait for is unlocked. */
const locked: Record<string, Begin> = {
  "waiting to write a ref": ({ space, a, b }, control, patience) =>
    space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(b, 1);
        await tx.set(a, 1);
      },
      { control, ...patience },
    ),
  "waiting to put a row": ({ space, b, rows }, control, patience) =>
    space.atomically(
      async (tx: LockingTransaction) => {
        await tx.set(b, 1);
        await tx.put(rows, 1, "one");
      },
      { control, ...patience },
    ),
  "waiting for several locks at once": ({ space, a, b, rows }, control, patience) =>
    space.atomically(
      async (tx: LockingTransaction) => {
        await Promise.all([tx.put(rows, 1, "one"), tx.put(rows, 2, "two"), tx.set(a, 1), tx.set(b, 1)]);
      },
      { control, ...patience },
    ),
};

/** They leave by a signal, or because their time is up. */
const ways: Record<
  string,
  (world: World) => { patience: TransactionOptions; end: () => unknown; word: string }
> = {
  "its signal": () => {
    const { signal, abort } = abortable();
    return { patience: { signal }, end: () => abort("enough"), word: "enough" };
  },
  "its time": ({ clock }) => ({
    patience: { timeoutMs: 50, signal: new AbortController().signal },
    end: () => clock.advance(50),
    word: "timeout",
  }),
};

describe.each(Object.entries(ways))("who leaves by %s", (_way, wayOf) => {
  describe.each(controls)("%s", (control) => {
    test.each(Object.entries(endless))("%s", async (_where, begin) => {
      const world = new World();
      const { patience, end, word } = wayOf(world);
      const outcome = follow(begin(world, control, patience));
      await turn();
      expect(outcome.is).toBe("waits");
      await end();
      await turn();
      expect(outcome.is).toBe(word);
      expect(getEventListeners(patience.signal!, "abort")).toEqual([]);
      world.expectUntouched();
    });

    test.each(Object.entries(locked))("%s", async (_where, begin) => {
      const world = new World();
      const letGo = await world.hold();
      const { patience, end, word } = wayOf(world);
      const outcome = follow(begin(world, control, patience));
      await turn();
      expect(outcome.is).toBe("waits");
      await end();
      await turn();
      expect(outcome.is).toBe(word);
      expect(getEventListeners(patience.signal!, "abort")).toEqual([]);
      await letGo();
      world.expectUntouched();
    });
  });

  test.each(["optimistic", "adaptive"] as const)(
    "after a conflict, before the next attempt: %s",
    async (control) => {
      const world = new World();
      const { space, a } = world;
      const { patience, end, word } = wayOf(world);
      let runs = 0;
      const outcome = follow(
        space.atomically(
          async (tx: LockingTransaction) => {
            runs++;
            const value = await tx.get(a);
            await turn();
            await tx.set(a, value + 1);
          },
          { control, ...patience },
        ),
      );
      space.atomicallySync((tx) => tx.set(a, -1));
      space.atomicallySync((tx) => tx.set(a, 0));
      const letGo = await world.hold();
      await turn();
      expect([outcome.is, runs]).toEqual(["waits", 1]);
      await end();
      await turn();
      expect([outcome.is, runs]).toEqual([word, 1]);
      await letGo();
      world.expectUntouched();
    },
  );
});

test("a signal that has aborted before: the block is not called", async () => {
  const { space, a } = new World();
  const signal = AbortSignal.abort("before");
  for (const control of controls) {
    const begun = space.atomically(() => expect.unreachable(), { control, signal });
    expect(await refusal(() => begun)).toBe("before");
  }
  expectAtRest(space, a);
});

test("what a block does after its caller has gone is refused, and says so", async () => {
  const { space, a } = new World();
  const { signal, abort } = abortable();
  let refused: unknown;
  const gone = space.atomically(
    async (tx) => {
      await turn();
      try {
        tx.set(a, 1);
      } catch (error) {
        refused = error;
      }
    },
    { signal },
  );
  abort("enough");
  expect(await refusal(() => gone)).toBe("enough");
  await turn();
  await turn();
  expect(await refusal(() => Promise.reject(refused as Error))).toBe("misuse");
  expect(a.get()).toBe(0);
});

test("timeoutMs: 0 is enough for what need not wait", async () => {
  const { space, a, clock } = new World();
  const set = space.atomically((tx) => tx.set(a, 1), { timeoutMs: 0 });
  await clock.advance(0);
  await set;
  expect(a.get()).toBe(1);
});

test("patience that lasted leaves no timer and no listener", async () => {
  const clock = new HandClock();
  const space = new Space({ clock });
  const a = space.ref(0);
  const { signal } = abortable();
  for (const control of controls) {
    const patience = { control, signal, timeoutMs: 5 };
    const set = space.atomically(
      async (tx: LockingTransaction) => tx.set(a, await turn().then(() => 1)),
      patience,
    );
    expect([clock.pending, getEventListeners(signal, "abort").length]).toEqual([1, 1]);
    await set;
    await turn();
    expect([clock.pending, getEventListeners(signal, "abort").length]).toEqual([0, 0]);
  }
});

test("a transaction that has committed has: an abort in the same turn comes too late", async () => {
  const { space, a } = new World();
  const { signal, abort } = abortable();
  const set = follow(space.atomically((tx) => tx.set(a, 1), { signal }));
  expect(a.get()).toBe(1);
  abort("too late");
  await turn();
  expect(set.is).toBe("done");
});

test("a hook that aborts its own signal comes too late", async () => {
  const { space, a } = new World();
  const { signal, abort } = abortable();
  const block = async (tx: LockingTransaction) => {
    await tx.set(a, 1);
    tx.onCommit(() => abort("too late"));
  };
  expect(await refusal(() => space.atomically(block, { signal }))).toBe("none");
  expect(a.get()).toBe(1);
});

describe.each(controls)("an abort at any moment, %s", (control) => {
  const play = async (ticks: number) => {
    const world = new World();
    const letGo = await world.hold();
    const { signal, abort } = abortable();
    const outcome = follow(
      world.space.atomically(
        async (tx: LockingTransaction) => {
          await tx.set(world.b, 1);
          await tx.set(world.a, 1);
          await tx.put(world.rows, 1, "one");
        },
        { control, signal },
      ),
    );
    await turn();
    const released = letGo();
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    abort("enough");
    await released;
    await turn();
    return { world, outcome: outcome.is, state: world.state };
  };
  const moments = Array.from({ length: 30 }, (_, ticks) => ticks);

  test("leaves all or nothing, and nobody waiting", async () => {
    for (const ticks of moments) {
      const { world, state } = await play(ticks);
      expect(["0,0,0", "1,1,1"]).toContain(String(state));
      world.expectAtRest();
    }
  });

  test("is what the caller hears of only if nothing was changed", async () => {
    const heard = new Set<string>();
    for (const ticks of moments) {
      const { outcome, state } = await play(ticks);
      expect(`${outcome} ${String(state)}`).toBe(outcome === "done" ? "done 1,1,1" : "enough 0,0,0");
      heard.add(outcome);
    }
    expect([...heard].toSorted()).toEqual(["done", "enough"]);
  });
});
