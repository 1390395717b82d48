// The whole test run, as CI does it: `npm test`. Every step runs, whatever the ones before it found, and the
// last line counts: each of vitest's tests is one, and each other step is one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const counts = { passed: 0, failed: 0, skipped: 0 };

// Without dependencies or without a build nothing that follows could be believed.
if (await step("prepare", ["scripts/prepare.mjs"])) {
  // The first takes as long as the others together, on a processor of its own.
  await Promise.all([step("lint", ["node_modules/eslint/bin/eslint.js", "."], "pipe"), otherReadings()]);
  await step("package", ["scripts/check-package.mjs"]);
  await step("servers", ["scripts/servers.mjs"]);
  await unitTests();
  await step("newer Node", ["scripts/test-newer-node.mjs"]);
}

const { passed, failed, skipped } = counts;
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 ? 1 : 0;

async function otherReadings() {
  await step("format", ["node_modules/prettier/bin/prettier.cjs", "--check", "."], "pipe");
  await step("typecheck", ["node_modules/typescript/bin/tsc"], "pipe");
}

/** @param {string} name @param {string[]} command @param {"inherit" | "pipe"} [output] */
async function step(name, command, output) {
  const succeeded = await run(name, command, output);
  counts[succeeded ? "passed" : "failed"] += 1;
  return succeeded;
}

async function unitTests() {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-test-"));
  const report = join(folder, "vitest.json");
  const stuck = "--reporter=./scripts/stuck-tests.mjs";
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", stuck];
  const succeeded = await run("unit tests", [...vitest, `--outputFile.json=${report}`]);
  const result = existsSync(report) ? readFileSync(report, "utf8") : "{}";
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    numPendingTests = 0,
    numTodoTests = 0,
  } = /** @type {Record<string, number>} */ (JSON.parse(result));
  counts.passed += numPassedTests;
  counts.skipped += numPendingTests + numTodoTests;
  // A file that cannot be loaded, or an error outside any test, fails the run without failing a test.
  counts.failed += Math.max(numFailedTests, succeeded ? 0 : 1);
  rmSync(folder, { recursive: true });
}

/**
 * Shows what is said at once, or, of one of several at a time, when it is over.
 *
 * @param {string} name @param {string[]} command @param {"inherit" | "pipe"} output
 */
async function run(name, command, output = "inherit") {
  const title = `\n── ${name} ${"─".repeat(Math.max(0, 76 - name.length))}`;
  if (output === "inherit") console.log(title);
  const startedAt = performance.now();
  const child = spawn(process.execPath, command, { stdio: ["ignore", output, output] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (/** @type {string} */ data) => (said += data));
  const [status] = await once(child, "close");
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (output === "pipe") console.log(`${title}\n${said.trimEnd()}`);
  console.log(`${name}: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
  return status === 0;
}
