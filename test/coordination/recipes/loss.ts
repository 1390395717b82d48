// What becomes of those who freeze: they lose what they hold by their own clock, before anyone else has it.
import { expect } from "vitest";
import { codeOf, track } from "../world.js";
import { Nap } from "./nap.js";
import type { Check, Setting } from "./setting.js";

/** A client that can be frozen, and does not hold anything for long once it is. */
async function sleeper(setting: Setting) {
  const nap = new Nap(setting.clock);
  return { nap, client: await setting.client({ clock: nap, ttlMs: setting.shortMs }) };
}

export function loss(check: Check): void {
  check("is known to a frozen holder before the next one has the lock", async (setting) => {
    const { nap, client } = await sleeper(setting);
    const other = await setting.client();
    const held = await client.lock("x").acquire();
    nap.freeze();
    let heldBeside: boolean | undefined;
    const next = other.lock("x").acquire();
    void next.then(() => (heldBeside = held.isHeld));
    expect(held.isHeld).toBe(true);
    const { token } = await setting.over(next);
    expect(heldBeside).toBe(false);
    expect(token).toBeGreaterThan(held.token);
    expect(() => {
      held.assertHeld();
    }).toThrow(expect.objectContaining({ code: "lost" }) as Error);
    expect(held.signal.reason).toMatchObject({ code: "lost" });
    expect(await codeOf(held.release())).toBe("lost");
    await held[Symbol.asyncDispose]();
    nap.wake();
    expect(await setting.keys("lock/")).toHaveLength(1);
  });

  check("does not come to who renews", async (setting) => {
    const client = await setting.client({ ttlMs: setting.shortMs });
    const held = await client.lock("x").acquire();
    const term = (await client.election("e").campaign().next()).value;
    await setting.pass(setting.shortMs * 1.5);
    held.assertHeld();
    term.assertHeld();
    await held.release();
  });

  check("costs no waiter of the same client its wait", async (setting) => {
    const { nap, client } = await sleeper(setting);
    const held = await client.lock("x").acquire();
    const tasks = [1, 2, 3].map(() => client.lock("x").run((inner) => inner.token));
    nap.freeze();
    await setting.untilInLine(0);
    expect(held.isHeld).toBe(false);
    nap.wake();
    const tokens = await setting.over(Promise.all(tasks));
    for (const token of tokens) expect(token).toBeGreaterThan(held.token);
    expect(await setting.keys("lock/")).toEqual([]);
  });

  check(
    "of a waiter's session costs it its place: it joins again, behind those who came since",
    async (s) => {
      const [a, b] = [await s.client(), await s.client()];
      const { nap, client } = await sleeper(s);
      const holder = await a.lock("x").acquire();
      const waiting = track(client.lock("x").acquire());
      await s.untilInLine(2);
      nap.freeze();
      const behind = track(b.lock("x").acquire());
      await s.untilInLine(3);
      await s.untilInLine(2);
      nap.wake();
      await s.untilInLine(3);
      await holder.release();
      await s.until("the one behind has it", () => behind.state === "resolved");
      expect(waiting.state).toBe("pending");
      await behind.value!.release();
      await s.until("the one who slept has it", () => waiting.state === "resolved");
      expect(waiting.value!.token).toBeGreaterThan(behind.value!.token);
    },
  );

  check("ends a frozen leader's term before the next one begins, and it stands again", async (setting) => {
    const { nap, client } = await sleeper(setting);
    const other = await setting.client();
    const campaign = client.election("e").campaign({ value: "frozen" });
    const term = (await campaign.next()).value;
    nap.freeze();
    let heldBeside: boolean | undefined;
    const won = other.election("e").campaign({ value: "next" }).next();
    void won.then(() => (heldBeside = term.isHeld));
    const next = (await setting.over(won)).value;
    expect(heldBeside).toBe(false);
    expect(next.token).toBeGreaterThan(term.token);
    nap.wake();
    expect(term.signal.reason).toMatchObject({ code: "lost" });
    expect(await codeOf(term.proclaim("me"))).toBe("lost");
    expect(await other.election("e").leader()).toEqual({ value: "next", token: next.token });
    const again = campaign.next();
    await setting.untilInLine(2, "election/");
    await next.release();
    expect((await setting.over(again)).value.token).toBeGreaterThan(next.token);
  });
}
