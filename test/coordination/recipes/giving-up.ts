// Giving up at any moment: whatever an acquire was doing when its signal aborted or its time was up, it
// leaves no key behind and keeps nobody waiting.
import type { Held } from "lockstep";
import { SeededRandom } from "lockstep/base";
import { expect } from "vitest";
import { codeOf, track } from "../world.js";
import type { Check } from "./setting.js";

const reason = new Error("enough");

export function givingUp(check: Check): void {
  check("by time says so, and leaves the place", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const held = await a.lock("x").acquire();
    const late = b.lock("x").acquire({ timeoutMs: 150 });
    expect(await setting.over(codeOf(late))).toBe("timeout");
    await setting.untilInLine(1);
    held.assertHeld();
    await expect(late).rejects.toThrow(/150 ms.*"x"/);
  });

  check("by a signal says why, and the others keep their order", async (setting) => {
    const [a, b, c] = await setting.clients(3);
    const held = await a!.lock("x").acquire();
    const abort = new AbortController();
    const middle = track(b!.lock("x").acquire({ signal: abort.signal }));
    await setting.untilInLine(2);
    const last = track(c!.lock("x").acquire());
    await setting.untilInLine(3);
    abort.abort(reason);
    await setting.untilInLine(2);
    expect(middle.error).toBe(reason);
    await setting.pass(20);
    expect(last.state).toBe("pending");
    await held.release();
    await setting.until("the last one has it", () => last.state === "resolved");
  });

  check("at any moment leaves nothing behind, whoever has the lock", async (setting) => {
    const random = new SeededRandom(1);
    const [client, rival] = [await setting.client(), await setting.client()];
    for (let round = 0; round < 40; round++) {
      const holder = [undefined, client, rival][round % 3];
      const held = await holder?.lock("x").acquire();
      const abort = new AbortController();
      const wanted = track(client.lock("x").acquire({ signal: abort.signal }));
      const released = setting.pass(random.below(4)).then(() => held?.release());
      await setting.pass(random.below(6));
      abort.abort(reason);
      await setting.until("it is settled", () => wanted.state !== "pending");
      if (wanted.state === "rejected") expect(wanted.error).toBe(reason);
      await setting.over(released);
      await wanted.value?.release();
      await setting.untilInLine(0);
    }
    for (const one of [client, rival]) {
      await using next = await one.lock("x").tryAcquire();
      expect(next?.isHeld).toBe(true);
    }
  });

  check("a candidacy at any moment leaves nothing behind", async (setting) => {
    const random = new SeededRandom(2);
    const [client, rival] = [await setting.client(), await setting.client()];
    for (let round = 0; round < 20; round++) {
      const rivals = rival.election("e").campaign();
      if (round % 2 === 0) await rivals.next();
      const abort = new AbortController();
      const terms = client.election("e").campaign({ signal: abort.signal });
      const wanted = track(terms.next());
      const resigned = setting.pass(random.below(4)).then(() => rivals.return(undefined as never));
      await setting.pass(random.below(6));
      abort.abort(reason);
      await setting.over(resigned);
      await setting.until("it is settled", () => wanted.state !== "pending");
      if (wanted.state === "rejected") expect(wanted.error).toBe(reason);
      else await expect(terms.next()).rejects.toBe(reason);
      await setting.untilInLine(0, "election/");
    }
  });

  check("is for each to decide: of many who do at random, none is forgotten, none overlaps", async (s) => {
    const random = new SeededRandom(3);
    const clients = await s.clients(3);
    let inside = 0;
    let last = 0n;
    const section = async (held: Held) => {
      expect(++inside).toBe(1);
      expect(held.token).toBeGreaterThan(last);
      last = held.token;
      await s.pass(random.below(4));
      held.assertHeld();
      inside--;
    };
    const task = async () => {
      await s.pass(random.below(40));
      const lock = clients[random.below(clients.length)]!.lock("x");
      const kind = random.below(4);
      if (kind === 0) {
        const held = await lock.tryAcquire();
        if (held) await section(held);
        await held?.release();
        return;
      }
      const abort = new AbortController();
      if (kind === 1) void s.pass(random.below(60)).then(() => abort.abort(reason));
      const timeoutMs = kind === 2 ? 1 + random.below(60) : undefined;
      const outcome = track(lock.run(section, { signal: abort.signal, timeoutMs }));
      await s.until("it is settled", () => outcome.state !== "pending");
      if (outcome.state === "resolved" || outcome.error === reason) return;
      expect(outcome.error).toMatchObject({ code: "timeout" });
    };
    await s.over(Promise.all(Array.from({ length: 40 }, task)));
    await s.untilInLine(0);
    for (const client of clients) {
      await using held = await client.lock("x").tryAcquire();
      expect(held?.isHeld).toBe(true);
    }
  });
}
