// Days on which clocks are wrong.
import { systemClock, type Clock } from "lockstep/base";
import { expect } from "vitest";
import type { Day } from "./day.js";

const hourMs = 3600 * 1000;

export const clientWallClock: Day = {
  number: 14,
  title: "a client's wall clock is set an hour forward, and back",
  needs: "processes",
  async play(world) {
    const time = world.falseTime();
    const holder = await world.remoteParty("holder", { env: time.env });
    const waiter = await world.remoteParty("waiter", { env: time.env });
    await holder.acquire();
    const granted = waiter.acquire();
    for (const offset of [hourMs, -hourMs]) {
      await time.set(offset);
      await world.pause(world.ttlMs * 1.5);
      expect(await holder.isHeld()).toBe(true);
    }
    await holder.release();
    await granted;
    expect(await waiter.isHeld()).toBe(true);
  },
};

export const serverWallClock: Day = {
  number: 14,
  title: "the server's wall clock is set an hour forward, and back",
  needs: "server clock",
  limit: ({ expiryMovesWithWallClock }) =>
    expiryMovesWithWallClock ? "expiryMovesWithWallClock" : undefined,
  async play(world) {
    const time = world.falseTime();
    const { proxy, address, direct } = await world.underFalseTime(time);
    // Longer than it takes to set the clock.
    const ttlMs = 6 * world.ttlMs;
    const holder = await world.party("holder", { address, ttlMs });
    const successor = await world.party("successor", { address: direct, ttlMs });
    const third = await world.party("third", { address: direct, ttlMs });
    await holder.acquire();
    expect(holder.write()).toBe(true);
    // It shall not hear of what happens at the server.
    proxy.hold();
    await time.set(hourMs);
    const { token } = await successor.acquire();
    await holder.believes();
    expect(successor.write()).toBe(true);
    expect(holder.write()).toBe(false);
    await time.set(-hourMs);
    expect(await successor.isHeld()).toBe(true);
    await successor.release();
    // Tokens rise although the clock fell.
    expect((await third.acquire()).token).toBeGreaterThan(token);
  },
};

export const slowClock: Day = {
  number: 15,
  title: "a client's clock is 1.5 times slow, and the network is cut",
  needs: "own clock",
  limit: ({ expiryClock }) => (expiryClock === "server" ? "expiryClock" : undefined),
  async play(world) {
    // Long enough that the servers which look at sessions now and then do so while it still believes.
    const ttlMs = 4000;
    const { proxy, address } = await world.proxy();
    const slow = await world.party("slow", { address, clock: slowed(1.5), ttlMs });
    const successor = await world.party("successor", { ttlMs });
    await slow.acquire();
    // While it is heard, it renews soon enough: each half of its time to live. No renewal is under way now.
    await world.pause(1.25 * ttlMs);
    expect(await slow.isHeld()).toBe(true);
    expect(slow.write()).toBe(true);
    proxy.hold();
    await successor.acquire();
    expect(successor.write()).toBe(true);
    await slow.believes();
    expect(slow.write()).toBe(false);
    await world.until(async () => !(await slow.isHeld()));
  },
};

/** The system's clock, as one sees it whose seconds are too long. */
function slowed(factor: number): Clock {
  return {
    now: () => systemClock.now() / factor,
    wallNow: () => systemClock.wallNow(),
    after: (delayMs, callback, background) => systemClock.after(delayMs * factor, callback, background),
  };
}
