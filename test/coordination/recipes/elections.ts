import type { Leader, Lockstep } from "lockstep";
import { expect } from "vitest";
import { codeOf, track } from "../world.js";
import type { Check, Setting } from "./setting.js";

const reason = new Error("enough");

export function elections(check: Check): void {
  check("is won when nobody else leads, until the campaign's loop is left", async (setting) => {
    const election = (await setting.client()).election("e");
    for await (const term of election.campaign({ value: "me" })) {
      expect(term.isHeld).toBe(true);
      expect(await election.leader()).toEqual({ value: "me", token: term.token });
      break;
    }
    expect(await election.leader()).toBeNull();
    expect(await setting.keys("election/")).toEqual([]);
  });

  check("gives terms one after another, in the order of standing, with rising tokens", async (setting) => {
    const clients = await setting.clients(3);
    const order: string[] = [];
    const tokens: bigint[] = [];
    let leading = 0;
    let standing = clients.length;
    const candidate = async (client: Lockstep, name: string) => {
      let terms = 0;
      for await (const term of client.election("e").campaign({ value: name })) {
        expect(++leading).toBe(1);
        // Who led before stands again meanwhile.
        await setting.untilInLine(standing, "election/");
        order.push(name);
        tokens.push(term.token);
        term.assertHeld();
        leading--;
        // The end of the loop's body resigns, and stands again behind the others.
        if (++terms === 4) {
          standing--;
          break;
        }
      }
    };
    const campaigns: Promise<void>[] = [];
    for (const [i, client] of clients.entries()) {
      await setting.untilInLine(i, "election/");
      campaigns.push(candidate(client, "abc"[i]!));
    }
    await setting.over(Promise.all(campaigns));
    expect(order.join("")).toBe("abcabcabcabc");
    for (const [i, token] of tokens.entries()) if (i > 0) expect(token).toBeGreaterThan(tokens[i - 1]!);
    expect(await setting.keys("election/")).toEqual([]);
  });

  check("may be resigned from early, and the next leads while the body still runs", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const terms = a.election("e").campaign();
    const term = (await terms.next()).value;
    const next = b.election("e").campaign().next();
    await setting.untilInLine(2, "election/");
    await term.release();
    expect((await setting.over(next)).value.isHeld).toBe(true);
    expect(await codeOf(term.release())).toBe("misuse");
    expect(term.signal.aborted).toBe(false);
    await terms.return(undefined as never);
  });

  check("that is called off aborts the term, and lets nobody lead before it ends", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const abort = new AbortController();
    const campaign = a.election("e").campaign({ signal: abort.signal });
    const term = (await campaign.next()).value;
    const other = track(b.election("e").campaign().next());
    await setting.untilInLine(2, "election/");
    abort.abort(reason);
    await setting.pass(20);
    expect(term.signal.reason).toBe(reason);
    expect(term.isHeld).toBe(true);
    expect(other.state).toBe("pending");
    await expect(campaign.next()).rejects.toBe(reason);
    await setting.until("the other leads", () => other.state === "resolved");
  });

  check("goes to the next when the leader's client closes", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const term = (await a.election("e").campaign().next()).value;
    const waiting = codeOf(a.election("e").campaign().next());
    await setting.untilInLine(2, "election/");
    const next = b.election("e").campaign().next();
    await setting.untilInLine(3, "election/");
    await a.close();
    expect(await waiting).toBe("closed");
    expect(term.signal.aborted).toBe(true);
    expect((await setting.over(next)).value.token).toBeGreaterThan(term.token);
    expect(await codeOf(a.election("e").leader())).toBe("closed");
  });

  check("shows observers who leads, what they proclaim, and nobody in between", async (setting) => {
    const [a, b, c] = await setting.clients(3);
    const { seen, leaders, sees } = observe(c!, setting);
    await sees(null);
    const first = a!.election("e").campaign({ value: "a" });
    const term = (await first.next()).value;
    await sees("a");
    await term.proclaim("a2");
    await sees("a2");
    const next = b!.election("e").campaign({ value: "b" }).next();
    await setting.untilInLine(2, "election/");
    await first.return(undefined as never);
    const second = (await setting.over(next)).value;
    await sees("b");
    await second.release();
    await sees(null);
    expect(seen).toEqual([null, "a", "a2", "b", null]);
    expect(leaders.map((leader) => leader?.token)).toEqual([
      undefined,
      term.token,
      term.token,
      second.token,
      undefined,
    ]);
  });

  check("shows an observer that comes late who leads now, and ends by its signal", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    await a.election("e").campaign({ value: "a" }).next();
    await a.election("e/f").campaign({ value: "another" }).next();
    const abort = new AbortController();
    const { seen, sees, ended } = observe(b, setting, abort.signal);
    await sees("a");
    expect(seen).toEqual(["a"]);
    abort.abort(reason);
    await expect(setting.over(ended)).rejects.toBe(reason);
  });

  check("keeps the term through its proclamations: same token, still first", async (setting) => {
    const [a, b] = [await setting.client(), await setting.client()];
    const term = (await a.election("e").campaign().next()).value;
    const other = track(b.election("e").campaign().next());
    await setting.untilInLine(2, "election/");
    for (const value of ["b", "c"]) await term.proclaim(value);
    await Promise.all([term.proclaim("c"), term.proclaim("d")]);
    expect((await b.election("e").leader())?.token).toBe(term.token);
    expect(other.state).toBe("pending");
    await a.close();
    await setting.until("the other leads", () => other.state === "resolved");
  });
}

/** All that an observer has seen so far. */
function observe(client: Lockstep, setting: Setting, signal?: AbortSignal) {
  const leaders: (Leader | null)[] = [];
  const seen: (string | null)[] = [];
  const ended = (async () => {
    for await (const leader of client.election("e").observe({ signal })) {
      leaders.push(leader);
      seen.push(leader && leader.value);
    }
  })();
  // Whoever waits for it hears of it; the end of the client is none of anybody's business.
  ended.catch(() => undefined);
  const sees = (value: string | null) =>
    setting.until(`${value} leads for the observer`, () => seen.length > 0 && seen.at(-1) === value);
  return { leaders, seen, sees, ended };
}
