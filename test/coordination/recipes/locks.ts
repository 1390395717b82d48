import type { Held } from "lockstep";
import { expect } from "vitest";
import { codeOf, track } from "../world.js";
import type { Check } from "./setting.js";

export function locks(check: Check): void {
  check("is one client's at a time, and free again when released", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").acquire();
    expect(held.isHeld).toBe(true);
    expect(held.signal.aborted).toBe(false);
    const other = track(b.lock("x").acquire());
    await setting.untilInLine(2);
    expect(other.state).toBe("pending");
    await held.release();
    await setting.until("the other has it", () => other.state === "resolved");
    expect(held.isHeld).toBe(false);
    // A release is no loss.
    expect(held.signal.aborted).toBe(false);
    expect(other.value!.isHeld).toBe(true);
  });

  check("of another name is another lock, however alike the names", async (setting) => {
    const client = await setting.client();
    const names = ["a", "a/b", "a%2Fb", "a%", "b", "ä", "a b", "/", "A", "..", ".", "*", "a\\", "𝄞"];
    for (const name of names) expect(await client.lock(name).tryAcquire(), name).not.toBeNull();
    const census = await client.census();
    expect(census.locks.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  check("may have the longest of names", async (setting) => {
    const client = await setting.client();
    const name = "/".repeat(512);
    expect(await client.lock(name).run((held) => held.name)).toBe(name);
    expect(await setting.keys("lock/")).toEqual([]);
  });

  check("is tried for without waiting", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").tryAcquire();
    expect(held?.isHeld).toBe(true);
    expect(await a.lock("x").tryAcquire()).toBeNull();
    expect(await b.lock("x").tryAcquire()).toBeNull();
    expect(await codeOf(b.lock("x").acquire({ timeoutMs: 0 }))).toBe("timeout");
    expect(await setting.keys("lock/")).toHaveLength(1);
    await held?.release();
    const again = await b.lock("x").tryAcquire();
    expect(again?.isHeld).toBe(true);
  });

  check("is not to be had by trying while others wait for it", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").acquire();
    const waiting = b.lock("x").acquire();
    await setting.untilInLine(2);
    const released = held.release();
    expect(await a.lock("x").tryAcquire()).toBeNull();
    await released;
    expect((await setting.over(waiting)).isHeld).toBe(true);
  });

  check("is waited for by the one who began while another task was trying", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").acquire();
    const tried = b.lock("x").tryAcquire();
    const waiting = b.lock("x").acquire();
    expect(await tried).toBeNull();
    await held.release();
    expect((await setting.over(waiting)).isHeld).toBe(true);
  });

  check("is granted to clients in the order in which they asked", async (setting) => {
    const [first, ...others] = await setting.clients(7);
    const held = await first!.lock("x").acquire();
    const order: number[] = [];
    const sections: Promise<void>[] = [];
    for (const [i, client] of others.entries()) {
      sections.push(client.lock("x").run(() => void order.push(i)));
      await setting.untilInLine(i + 2);
    }
    await held.release();
    await setting.over(Promise.all(sections));
    expect(order).toEqual(others.map((_, i) => i));
  });

  check("is granted to the tasks of a client in the order in which they asked", async (setting) => {
    const lock = (await setting.client()).lock("x");
    const order: number[] = [];
    const tasks = Array.from({ length: 50 }, (_, i) => lock.run(() => void order.push(i)));
    await setting.over(Promise.all(tasks));
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  check("goes around: a client with many tasks gets no more turns than one with few", async (setting) => {
    const [first, a, b] = await setting.clients(3);
    const order: string[] = [];
    const held = await first!.lock("x").acquire();
    const tasks = ["a", "a", "a"].map((name) => a!.lock("x").run(() => void order.push(name)));
    await setting.untilInLine(2);
    tasks.push(...["b", "b"].map((name) => b!.lock("x").run(() => void order.push(name))));
    await setting.untilInLine(3);
    await held.release();
    await setting.over(Promise.all(tasks));
    expect(order.join("")).toBe("ababa");
  });

  check("has a token that rises with each grant, and nobody beside the one who holds it", async (setting) => {
    const clients = await setting.clients(3);
    const tokens: bigint[] = [];
    let inside = 0;
    const section = async (held: Held) => {
      expect(++inside).toBe(1);
      tokens.push(held.token);
      await setting.pass(0);
      held.assertHeld();
      inside--;
    };
    const tasks = Array.from({ length: 60 }, (_, i) => clients[i % 3]!.lock("x").run(section));
    await setting.over(Promise.all(tasks));
    expect(tokens).toHaveLength(60);
    for (const [i, token] of tokens.entries()) if (i > 0) expect(token).toBeGreaterThan(tokens[i - 1]!);
    expect(await setting.keys("lock/")).toEqual([]);
  });

  check("costs the store one key for hundreds of waiting tasks", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").acquire();
    let count = 0;
    const tasks = Array.from({ length: 300 }, () => b.lock("x").run(() => count++));
    await setting.untilInLine(2);
    await setting.pass(20);
    expect(await setting.keys("lock/")).toHaveLength(2);
    await held.release();
    await setting.over(Promise.all(tasks));
    expect(count).toBe(300);
    expect(await setting.keys("lock/")).toEqual([]);
  });

  check("tells the census who has it, who waits, and for how long", async (setting) => {
    const [a, b, c] = await setting.clients(3);
    const held = await a!.lock("x").acquire();
    await setting.pass(100);
    const waiting = b!.lock("x").acquire();
    await setting.untilInLine(2);
    const census = await c!.census();
    const [{ name, holder, queue }] = census.locks as [(typeof census.locks)[number]];
    expect([census.locks.length, name, queue.length]).toEqual([1, "x", 1]);
    expect(holder.token).toBe(held.token);
    expect(holder.ageMs).toBeGreaterThan(90);
    expect(holder.expiresInMs).toBeGreaterThan(0);
    expect(holder.label).toContain(String(process.pid));
    await held.release();
    expect((await setting.over(waiting)).token).toBe(queue[0]!.token);
  });

  check("that was released is free, and a second release changes nothing", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").acquire();
    const released = held.release();
    expect(await codeOf(held.release())).toBe("misuse");
    await released;
    const next = await b.lock("x").acquire();
    expect(await codeOf(held.release())).toBe("misuse");
    await held[Symbol.asyncDispose]();
    expect(await setting.keys("lock/")).toHaveLength(1);
    expect(next.isHeld).toBe(true);
  });

  check("is released at the end of its block, and of its section, come what may", async (setting) => {
    const lock = (await setting.client()).lock("x");
    {
      await using held = await lock.acquire();
      expect(held.isHeld).toBe(true);
    }
    const boom = new Error("boom");
    await expect(lock.run(() => Promise.reject(boom))).rejects.toBe(boom);
    expect(await lock.run(async () => "later")).toBe("later");
    expect(await setting.keys("lock/")).toEqual([]);
  });

  check("of a client that closes is lost to it, and the next one's", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").acquire();
    const { signal } = held;
    const waiters = [a.lock("x").acquire(), a.lock("x").acquire()].map(codeOf);
    const next = track(b.lock("x").acquire());
    await setting.untilInLine(2);
    await a.close();
    expect(await Promise.all(waiters)).toEqual(["closed", "closed"]);
    expect(signal.aborted).toBe(true);
    expect(held.isHeld).toBe(false);
    await setting.until("the next one has it", () => next.state === "resolved");
    expect(next.value!.token).toBeGreaterThan(held.token);
    expect(await codeOf(a.lock("x").acquire())).toBe("closed");
    expect(await codeOf(a.lock("x").tryAcquire())).toBe("closed");
    expect(await codeOf(a.kv.get("x"))).toBe("closed");
    expect(await codeOf(a.census())).toBe("closed");
    await a.close();
  });

  check("can be closed at any moment, and nothing is left", async (setting) => {
    for (let moment = 0; moment < 12; moment++) {
      const client = await setting.client();
      const acquired = codeOf(client.lock("x").acquire());
      const tried = codeOf(client.lock("y").tryAcquire());
      await setting.pass(moment / 4);
      await client.close();
      expect(["closed", "no error"]).toContain(await acquired);
      expect(["closed", "no error"]).toContain(await tried);
    }
    expect(await setting.keys("")).toEqual([]);
    expect((await setting.store.read({ prefix: "", sessions: true })).sessions).toEqual([]);
  });
}
