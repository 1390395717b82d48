// What a report looks like: short enough to be read, whatever the program did.
import { type Program } from "lockstep/explore";
import { Channel, Mutex } from "lockstep/sync";
import { expect, test } from "vitest";
import { deeds, raceIn } from "./found.js";

test("a schedule that is too long to be read is told by its beginning and its end", async () => {
  const found = await raceIn(async ({ step }) => {
    for (;;) await step("again");
  });
  const lines = found.message.split("\n");
  expect(lines[0]).toBe("livelock: after 10,000 steps the program has not ended; program went on and on");
  expect(lines.slice(2, 5)).toEqual(["         program", "      1  again", "      2  again"]);
  expect(lines).toHaveLength(2 + 1 + 20 + 1 + 20 + 2);
  expect(lines[23]).toBe("  … 9,960 steps, which are in the error's `schedule` …");
  expect(lines[24]).toBe("   9981  again");
  expect(found.schedule).toHaveLength(10_000);
});

test("columns are made narrower where there are many, but keep what came of it", async () => {
  const long = "x".repeat(200);
  const found = await raceIn(async ({ task, io }) => {
    const query = () => io(`query ${long}`, () => [long]);
    await Promise.all(Array.from({ length: 6 }, (_, at) => task(`request number ${at}`, query)));
    throw new Error(long);
  });
  const table = found.message.split("\n\n")[1]!.split("\n");
  for (const line of table) expect(line.length).toBeLessThanOrEqual(140);
  expect(table[0]).toMatch(/request n\S*er 0 +request n\S*er 1/);
  expect(table[3]).toMatch(/^ +3 {2}query x+….*ends$/);
  const few = await raceIn(({ io }) => io("select", () => expect.fail("refused")));
  expect(few.message).toContain("  1  select\n  2  select ✗ refused\n");
});

test("what a loop over a channel is given is the value, and not what carries it", async () => {
  const reading = (...sent: string[]): Program => {
    return async ({ task }) => {
      const letters = new Channel<string>({ capacity: 1, name: "letters" });
      const reader = task("reader", async () => {
        for await (const letter of letters) throw new Error(`read ${letter}`);
        throw new Error("read none");
      });
      void task("writer", () => {
        for (const letter of sent) letters.trySend(letter);
        letters.close();
      });
      await reader;
    };
  };
  const some = await raceIn(reading("hello"));
  expect(deeds(some)).toContain('reader: gets a value from the channel "letters": "hello"; ✗ read hello');
  const none = await raceIn(reading());
  expect(deeds(none)).toContain('reader: a value from the channel "letters": no more; ✗ read none');
});

test("what introduces a list is told without its colon where the list is not", async () => {
  const found = await raceIn(({ task }) => {
    const mutex = new Mutex({ name: "desk" });
    for (const name of ["Ann", "Bob"]) void task(name, () => mutex.acquire());
  });
  expect(found.message).toMatch(/^deadlock: a lock is never released:\n {2}\w+ waits for/);
  expect(deeds(found).at(-1)).toMatch(/✗ deadlock: a lock is never released$/);
});

test.each<[string, unknown, string]>([
  ["a text", "full", "full"],
  ["nothing", undefined, "undefined"],
  ["an object", { code: 5 }, '{"code":5}'],
  ["an object without a prototype", Object.create(null), "an object"],
  ["one that cannot be written down", { toJSON: () => undefined }, "an object"],
  ["a function", () => "source", "a function"],
  ["an error without a message", new TypeError(), "TypeError"],
])("%s that is thrown is shown", async (_what, thrown, text) => {
  const throws: Program = () => {
    throw thrown;
  };
  const found = await raceIn(throws);
  expect(found.message.split("\n")[0]).toBe(`error: ${text}`);
  expect(found.cause).toBe(thrown);
});

test("an invariant is told by its name, if it has one", async () => {
  const brokenBy = async (holds: () => boolean) =>
    (await raceIn(({ invariant }) => invariant(holds))).message.split("\n")[0];
  expect(await brokenBy(() => false)).toBe("broken invariant: the invariant does not hold");
  const isStocked = () => false;
  expect(await brokenBy(isStocked)).toBe("broken invariant: the invariant isStocked does not hold");
  const option = await raceIn(() => 0, { invariant: () => false });
  expect(option.message.split("\n")[0]).toBe("broken invariant: the invariant does not hold");
});
