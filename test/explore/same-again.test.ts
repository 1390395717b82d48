// A program that does not do the same each time cannot be explored: what it does is told, but never as a
// race, and never as a proof.
import { randomBytes, randomUUID } from "node:crypto";
import { explore, type ExploreMode, type Program, type Stage } from "lockstep/explore";
import { describe, expect, test } from "vitest";
import { raceIn } from "./found.js";

const modes: ExploreMode[] = ["exhaustive", "pct", "random"];

/** Two tasks that count up, each by a read and a write. */
async function countTwice({ task, io }: Stage, counter: { n: number }): Promise<void> {
  const count = async () => {
    const seen = await io("read", () => counter.n);
    await io("write", () => void (counter.n = seen + 1));
  };
  await Promise.all([task("a", count), task("b", count)]);
}

/** Calls for help when an update was lost. */
const unlessBothCount =
  (onLost: (stage: Stage) => unknown): Program =>
  async (stage) => {
    const counter = { n: 0 };
    await countTwice(stage, counter);
    if (counter.n !== 2) await onLost(stage);
  };

/** Programs with state that is made once, before the first run. */
const outliving: Record<string, () => Program> = {
  "a failure when all is new": () => {
    let isWarm = false;
    return async ({ io }) => {
      await io("connect", () => 0);
      if (isWarm) return;
      isWarm = true;
      throw new Error("a cold start fails");
    };
  },
  "a pool that is opened at first use": () => {
    let pool: object | undefined;
    return async ({ io }) => {
      let opened = 0;
      const open = async () => {
        pool ??= await io("connect", () => ({ number: ++opened }));
      };
      await Promise.all([open(), open()]);
      expect(opened).toBeLessThan(2);
    };
  },
  "a cache that is filled too late": () => {
    const cache = new Map<string, string>();
    return async ({ task, io }) => {
      let row = "Ann";
      const name = async () => {
        if (!cache.has("name")) cache.set("name", await io("select", () => row));
        return cache.get("name");
      };
      const rename = async () => {
        await io("update", () => (row = "Eve"));
        cache.delete("name");
      };
      await Promise.all([task("reader", name), task("writer", rename)]);
      expect(await name()).toBe("Eve");
    };
  },
  "a counter, of which the message tells": () => {
    const counter = { n: 0 };
    return async (stage) => {
      await countTwice(stage, counter);
      expect(counter.n).toBe(2);
    };
  },
  "a counter, of which the message tells nothing": () => {
    const counter = { n: 0 };
    return async (stage) => {
      await countTwice(stage, counter);
      if (counter.n !== 2) throw new Error("lost");
    };
  },
  "a failure from some run on": () => {
    let runs = 0;
    return async ({ task, step }) => {
      await Promise.all([task("a", () => step()), task("b", () => step())]);
      if (++runs > 4) throw new Error("worn out");
    };
  },
  "another path from some run on": () => {
    let runs = 0;
    return async ({ task, step }) => {
      const isLong = ++runs > 8;
      await Promise.all([task("a", () => step()), task("b", () => step())]);
      if (isLong) await step();
    };
  },
  "a counter that nobody minds": () => {
    let visits = 0;
    return ({ io }) => io("visit", () => ++visits);
  },
  "a counter of races, in the message": () => {
    let lost = 0;
    return unlessBothCount(() => expect.fail(`${++lost} were lost`));
  },
  "a race that is told otherwise the second time": () => {
    let told = 0;
    return unlessBothCount(() => expect.fail(++told === 1 ? "cold" : "warm"));
  },
  "a race that is told otherwise in the end": () => {
    let told = 0;
    return unlessBothCount(() => expect.fail(++told <= 2 ? "cold" : "warm"));
  },
  "a counter of races, in an answer": () => {
    let lost = 0;
    return unlessBothCount(async ({ io }) => {
      await io("alarm", () => ++lost);
      throw new Error("lost");
    });
  },
};

describe("what outlives a run is told, and not taken for a race or a proof", () => {
  for (const mode of modes) {
    test.each(Object.entries(outliving))(`in mode "${mode}": %s`, async (_name, make) => {
      await expect(explore(make(), { mode, runs: 100 })).rejects.toMatchObject({ code: "misuse" });
    });
  }

  test("by what went otherwise", async () => {
    const told = async (name: string) => {
      const error: unknown = await explore(outliving[name]!()).catch((thrown: unknown) => thrown);
      return (error as Error).message;
    };
    expect(await told("a counter, of which the message tells")).toMatch(/first nothing wrong; then error: /);
    expect(await told("a pool that is opened at first use")).toContain("first error: expected 2 to be less");
    expect(await told("another path from some run on")).toContain("then program: step");
    expect(await told("a counter that nobody minds")).toContain("first visit → 1; then visit → 2");
    expect(await told("a counter of races, in the message")).toMatch(/first error: . were.+; then error: ./);
    expect(await told("a counter of races, in an answer")).toMatch(/first alarm → \d+; then alarm → \d+\)/);
  });
});

describe("a race beside ids that are new each time is one", () => {
  const program = (newId: () => string, isTold: boolean): Program =>
    unlessBothCount(async ({ io }) => {
      const id = await io("insert", newId);
      throw new Error(isTold ? `${id} is lost` : "lost");
    });

  test("as long as no message tells them", async () => {
    const newId = () => randomBytes(8).toString("hex");
    expect(await raceIn(program(newId, false))).toMatchObject({ cause: new Error("lost") });
    await expect(explore(program(newId, true))).rejects.toMatchObject({ code: "misuse" });
  });

  test.each([
    ["node:crypto", () => randomUUID()],
    ["the global crypto", () => crypto.randomUUID()],
  ])("and randomUUID of %s gives the same each time", async (_name, newId) => {
    const { message } = (await raceIn(program(newId, true))).cause as Error;
    expect(message).toBe("00000000-0000-4000-8000-000000000001 is lost");
    expect(newId()).not.toMatch(/^00000000-0000-4000/);
  });
});
