import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "lockstep";
import { expect, test } from "vitest";
import { Judge } from "../coordination/judge.js";
import { freeze } from "../rig/frozen.js";
import { Child } from "./child.js";
import { temporaryDirectory } from "./directories.js";

/** A process that has the lock `job`, and what it says about itself. */
async function holderOf(directory: string, ttlMs: number, judge: Judge) {
  const holder = new Child("./holder.ts", [directory, "job", String(ttlMs)]);
  const { token } = (await holder.next()) as { token: string };
  judge.heardOfGrant("job", BigInt(token));
  return { holder, token: BigInt(token) };
}

test("who only looks is not told of the dead either", async () => {
  const directory = await temporaryDirectory();
  const leader = new Child("./leader.ts", [directory, "boss"]);
  await leader.next();
  await leader.kill();
  await using ls = await connect(`lmdb:${directory}`);
  // At every moment of its finding out: not while it is listening, nor while it is burying.
  const looks = [];
  for (let turn = 0; turn < 500; turn++) {
    looks.push(ls.election("boss").leader());
    await (turn % 5 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined);
  }
  expect((await Promise.all(looks)).filter((leader) => leader !== null)).toEqual([]);
  expect(await ls.census()).toEqual({ sessions: [], locks: [], elections: [] });
});

test("the lock of a killed process is had at once, by one who waits and by one who comes later", async () => {
  const directory = await temporaryDirectory();
  const judge = new Judge();
  await using ls = judge.follow(await connect(`lmdb:${directory}`, { ttlMs: 60_000 }));
  for (const waits of [true, false]) {
    const { holder } = await holderOf(directory, 60_000, judge);
    expect(await ls.lock("job").tryAcquire()).toBeNull();
    const waiting = waits ? ls.lock("job").acquire({ timeoutMs: 5000 }) : undefined;
    if (waits) await sleep(50);
    await holder.kill();
    const killedAt = performance.now();
    const held = await (waiting ?? ls.lock("job").acquire({ timeoutMs: 5000 }));
    expect(performance.now() - killedAt).toBeLessThan(2000);
    await held.release();
  }
});

test("a client that comes when all others are dead finds out at once", async () => {
  const directory = await temporaryDirectory();
  const judge = new Judge();
  const { holder } = await holderOf(directory, 60_000, judge);
  await holder.kill();
  await using ls = judge.follow(await connect(`lmdb:${directory}`, { ttlMs: 60_000 }));
  const held = await ls.lock("job").tryAcquire();
  expect(held).not.toBeNull();
});

test("a frozen process loses the lock at its time to live, and learns of it when it wakes", async () => {
  const directory = await temporaryDirectory();
  const judge = new Judge();
  await using ls = judge.follow(await connect(`lmdb:${directory}`, { ttlMs: 60_000 }));
  const { holder, token } = await holderOf(directory, 1000, judge);
  const frozen = freeze(holder.process);
  const frozenAt = performance.now();
  const held = await ls.lock("job").acquire({ timeoutMs: 10_000 });
  const waited = performance.now() - frozenAt;
  // Not before its last renewal has run out, and not long after.
  expect(waited).toBeGreaterThan(500);
  expect(waited).toBeLessThan(5000);
  expect(held.token).toBeGreaterThan(token);
  const message = holder.next();
  frozen.thaw();
  expect(await message).toHaveProperty("lostAt");
  expect(held.isHeld).toBe(true);
});
