// Days on which the network loses what was said, or carries it one way only.
import { expect } from "vitest";
import type { Day } from "./day.js";

export const acquireReplyLost: Day = {
  number: 2,
  title: "the reply to an acquire is lost",
  needs: "network",
  async play(world) {
    const { proxy, address } = await world.proxy();
    const [asker, onlooker] = [await world.party("asker", { address }), await world.client()];
    // So its session is open, its connections are made, and the one request is all that it takes.
    await asker.acquire();
    await asker.release();
    proxy.drop("client");
    const granted = asker.acquire();
    await world.until(async () => (await world.queued(onlooker)) === 1);
    await proxy.heal();
    await granted;
    expect(await asker.isHeld()).toBe(true);
    await asker.release();
    // Nothing of what it asked for before it knew is left, or comes later.
    await world.until(async () => (await world.queued(onlooker)) === 0);
    const successor = await world.party("successor");
    await successor.acquire();
    await world.pause(world.ttlMs / 2);
    expect(await world.queued(onlooker)).toBe(1);
    expect(await successor.isHeld()).toBe(true);
  },
};

export const releaseReplyLost: Day = {
  number: 3,
  title: "the reply to a release is lost, and it is told again after a successor was granted",
  needs: "network",
  async play(world) {
    const { proxy, address } = await world.proxy();
    const [holder, successor] = [await world.party("holder", { address }), await world.party("successor")];
    const onlooker = await world.client();
    await holder.acquire();
    const granted = successor.acquire();
    await world.until(async () => (await world.queued(onlooker)) === 2);
    proxy.drop("client");
    const released = holder.release();
    await granted;
    await proxy.heal();
    await released;
    await world.pause(world.ttlMs / 2);
    expect(await successor.isHeld()).toBe(true);
    expect(await world.queued(onlooker)).toBe(1);
  },
};

export const ghostKey: Day = {
  number: 6,
  title: "a dying session's key is still there when its owner comes back",
  needs: "network",
  async play(world) {
    const { proxy, address } = await world.proxy();
    const [owner, onlooker] = [await world.party("owner", { address }), await world.client()];
    const first = await owner.acquire();
    // The server hears it still, so the session outlives what its owner believes.
    proxy.hold("client");
    await world.until(async () => !(await owner.isHeld()));
    expect(await world.queued(onlooker)).toBe(1);
    await proxy.heal();
    const second = await owner.acquire();
    expect(await owner.isHeld()).toBe(true);
    // Not by its old key, which was in the way until it was gone.
    expect(second.token).toBeGreaterThan(first.token);
    const { entries } = await onlooker.store.read({ prefix: "lock/lock/" });
    expect(entries.map(({ created }) => created)).toEqual([second.token]);
  },
};

export const lostDoorbell: Day = {
  number: 9,
  title: "the message that wakes a waiter is lost",
  needs: "network",
  async play(world) {
    const { proxy, address } = await world.proxy();
    const [holder, waiter] = [await world.party("holder"), await world.party("waiter", { address })];
    const onlooker = await world.client();
    await holder.acquire();
    const granted = waiter.acquire();
    await world.until(async () => (await world.queued(onlooker)) === 2);
    // It listens now, or it will look by itself.
    await world.pause(100);
    proxy.drop("client");
    await holder.release();
    await world.pause(100);
    await proxy.heal();
    await granted;
    expect(await waiter.isHeld()).toBe(true);
  },
};

export const oneWayPartition: Day = {
  number: 19,
  title: "the network is cut in one direction",
  needs: "network",
  async play(world) {
    await Promise.all(
      (["client", "server"] as const).map(async (way) => {
        const lock = `deaf ${way}`;
        const { proxy, address } = await world.proxy();
        const holder = await world.party(`holder cut off from the ${way}`, { address });
        const successor = await world.party(`successor of who is cut off from the ${way}`);
        await holder.acquire(lock);
        const granted = successor.acquire(lock);
        // It has been renewed by then.
        await world.pause(world.ttlMs / 2);
        proxy.hold(way);
        // It hears of its loss from nobody but its own clock.
        await world.until(async () => !(await holder.isHeld(lock)));
        await granted;
        await proxy.heal();
        expect(await holder.isHeld(lock)).toBe(false);
        expect(await successor.isHeld(lock)).toBe(true);
      }),
    );
  },
};
