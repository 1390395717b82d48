// Would the simulation notice? Each known mistake is put into the sources, in a process of its own, and
// must be caught within a few seeds.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { Limiter } from "lockstep/sync";
import { mistaken, mistakes } from "./mistakes.mjs";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url);

/** Far more than they need: a machine with much else to do is no reason to fail. */
const timeout = 300_000;

// They are judged by what they say, in whichever order.
describe.concurrent("the simulation catches it when", { timeout }, () => {
  const limiter = new Limiter({ concurrency: 2 });
  for (const { name } of mistakes) {
    test(name, async ({ expect }) => {
      const args = ["--import", "./test/simulation/source-loader.mjs", "test/simulation/catch-mistake.ts"];
      const env = { ...process.env, LOCKSTEP_MISTAKE: name };
      const { stdout } = await limiter.run(() =>
        run(process.execPath, args, { cwd: fileURLToPath(root), env, timeout }),
      );
      expect(stdout).toContain("caught");
    });
  }
});

test("a mistake that has no place in the sources any more is reported", () => {
  const mistake = mistakes[0]!;
  const text = readFileSync(new URL(mistake.file, root), "utf8");
  expect(mistaken(mistake, text)).not.toBe(text);
  expect(() => mistaken(mistake, "")).toThrow(/0 times .* mend the list/);
  expect(() => mistaken(mistake, text + text)).toThrow(/2 times/);
});
