// Would the workloads notice? Each known mistake is put into the sources, in a process of its own, and must
// be caught within some seeds.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { mistakes } from "./workload/mistakes.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Far more than they need: a machine with much else to do is no reason to fail. */
const timeout = 300_000;

describe("the workloads catch it when", { timeout }, () => {
  for (const { name } of mistakes) {
    test(name, async () => {
      const args = [
        "--import",
        "./test/stm/workload/source-loader.mjs",
        "test/stm/workload/catch-mistake.ts",
      ];
      const env = { ...process.env, LOCKSTEP_STM_MISTAKE: name };
      const { stdout } = await run(process.execPath, args, { cwd: root, env, timeout });
      expect(stdout).toContain("caught");
    });
  }
});
