// Calls on the machine within an io: they take real time, and what limits them does, too.
import { createServer, type Server } from "node:http";
import { open } from "node:fs/promises";
import { connect, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { explore, type Program } from "lockstep/explore";
import { afterAll, beforeAll, expect, test } from "vitest";

let server: Server;
let url: string;
let refusedUrl: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    setTimeout(() => response.end("ok"), request.url === "/slow" ? 60 : 5);
  });
  const portOf = async (listening: Server) => {
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    return (listening.address() as AddressInfo).port;
  };
  const closed = createServer();
  refusedUrl = `http://127.0.0.1:${await portOf(closed)}/`;
  closed.close();
  url = `http://127.0.0.1:${await portOf(server)}/`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const textAt = async (path: string, timeoutMs = 60_000) => {
  const response = await fetch(url + path, { signal: AbortSignal.timeout(timeoutMs) });
  return response.text();
};

/** Says what an io gives. */
const asking =
  (effect: () => unknown, expected: unknown): Program =>
  async ({ io }) => {
    expect(await io("call", effect)).toBe(expected);
  };

test("an answer comes before the time-out of its call", async () => {
  const program: Program = async ({ task, io }) => {
    const ask = () => io("GET", () => textAt(""));
    expect(await Promise.all([task("a", ask), task("b", ask)])).toEqual(["ok", "ok"]);
  };
  expect(await explore(program)).toMatchObject({ schedules: 20, isComplete: true });
});

test("a time-out of a call strikes in real time", async () => {
  await explore(asking(() => Promise.race([textAt("slow"), sleep(20, "late")]), "late"));
  await explore(asking(() => Promise.race([textAt("slow"), sleep(60_000, "late")]), "ok"));
});

test("a call that comes after a pretended one is real as well", async () => {
  const effect = async () => {
    await sleep(3_600_000);
    return textAt("");
  };
  await explore(asking(effect, "ok"));
});

test("a refused connection is answered, and not the end of the process", async () => {
  await explore(asking(() => fetch(refusedUrl).catch(() => "refused"), "refused"));
  const port = Number(new URL(refusedUrl).port);
  const code = () =>
    new Promise((resolve) => {
      connect(port, "127.0.0.1").on("error", (error: NodeJS.ErrnoException) => {
        resolve(error.code);
      });
    });
  await explore(asking(code, "ECONNREFUSED"));
});

test("no time passes for the others until a call is answered", async () => {
  const path = new URL("../../package.json", import.meta.url);
  const limitedOpen = async () => {
    const limit = setTimeout(() => expect.fail("late"), 60_000);
    await (await open(path)).close();
    clearTimeout(limit);
  };
  for (const call of [() => textAt(""), limitedOpen] as (() => Promise<unknown>)[]) {
    const { summary } = await explore(async ({ io, clock }) => {
      const late = setTimeout(() => expect.fail("late"), 1);
      await io("call", call);
      expect(clock.now()).toBe(0);
      clearTimeout(late);
    });
    expect(summary).toBe("the only schedule");
  }
});

test("nor when something happens before it is", async () => {
  const program: Program = async ({ task, io, step }) => {
    const wake = new AbortController();
    const woken = new Promise((resolve) => {
      wake.signal.addEventListener("abort", resolve);
    });
    void task("sleeper", async () => {
      await woken;
      await step();
    });
    const late = setTimeout(() => expect.fail("late"), 1);
    const call = async () => {
      const answer = textAt("slow");
      await textAt("");
      wake.abort();
      return answer;
    };
    await io("call", call);
    clearTimeout(late);
  };
  await explore(program, { preemptions: 0 });
});

test("a timer that limits a call is gone when it is cleared", async () => {
  let fired = 0;
  const limited = async () => {
    const timer = setTimeout(() => fired++, 20);
    const text = await textAt("");
    clearTimeout(timer);
    return text;
  };
  await explore(asking(limited, "ok"));
  await sleep(30);
  expect(fired).toBe(0);
});

test("what only pretends to take time takes none", async () => {
  await explore(async ({ io, clock }) => {
    await io("query", () => sleep(3_600_000));
    expect(clock.now()).toBe(3_600_000);
  });
});
