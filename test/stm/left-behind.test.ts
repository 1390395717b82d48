// Blocks that do not wait for all that they have begun: what they have begun is over with them.
import { Space, type LockingTransaction } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { refusal, settled as turn } from "../sync/outcome.js";
import { expectAtRest } from "./at-rest.js";

class World {
  readonly space = new Space();
  readonly a = this.space.ref(0);
  readonly b = this.space.ref(0);
  readonly rows = this.space.table<number, { owner: string; color: string }, "owner" | "color">({
    indexes: { owner: (row) => row.owner, color: (row) => row.color },
  });

  /** Has `a` locked by another; plays the block; and lets the other go. */
  async play(block: (tx: LockingTransaction) => unknown): Promise<string> {
    let letGo!: () => void;
    const released = new Promise<void>((resolve) => (letGo = resolve));
    const options = { control: "pessimistic" } as const;
    const holder = this.space.atomically(async (tx) => {
      await tx.set(this.a, 1);
      await released;
    }, options);
    await turn();
    const outcome = refusal(() => this.space.atomically(block, options));
    await turn();
    letGo();
    await holder;
    await turn();
    return outcome;
  }

  expectAtRest() {
    expectAtRest(this.space, this.a, this.b, this.rows);
  }
}

const fail = () => {
  throw new Error("boom");
};

describe("no lock is left of", () => {
  test("a read that was waiting when the block threw", async () => {
    const world = new World();
    const block = (tx: LockingTransaction) =>
      Promise.all([tx.get(world.a), Promise.resolve(tx.get(world.b)).then(fail)]);
    expect(await world.play(block)).toBe("Error: boom");
    world.expectAtRest();
  });

  test("a read that was waiting when the block returned", async () => {
    const world = new World();
    const block = async (tx: LockingTransaction) => Promise.race([tx.get(world.a), tx.get(world.b)]);
    expect(await world.play(block)).toBe("none");
    world.expectAtRest();
  });

  test("a write that was waiting when the block threw", async () => {
    const world = new World();
    const block = async (tx: LockingTransaction) => {
      void tx.set(world.a, 5);
      await tx.get(world.b);
      fail();
    };
    expect(await world.play(block)).toBe("Error: boom");
    expect(world.a.get()).toBe(1);
    world.expectAtRest();
  });

  test("a row that was put just before the block threw", async () => {
    const world = new World();
    const block = (tx: LockingTransaction) => {
      void tx.put(world.rows, 1, { owner: "ann", color: "red" });
      fail();
    };
    expect(await world.play(block)).toBe("Error: boom");
    world.expectAtRest();
  });

  test("a row that was put just before the block returned, and it is there", async () => {
    const world = new World();
    const block = (tx: LockingTransaction) => void tx.put(world.rows, 1, { owner: "ann", color: "red" });
    expect(await world.play(block)).toBe("none");
    expect(world.space.atomicallySync((tx) => tx.by(world.rows, "color", "red").length)).toBe(1);
    world.expectAtRest();
  });
});

test("a transaction that waits for a write it did not await commits when it has the lock", async () => {
  const world = new World();
  expect(await world.play((tx) => void tx.set(world.a, 7))).toBe("none");
  expect(world.a.get()).toBe(7);
  world.expectAtRest();
});
