// The whole test run, as CI does it: `npm test`. Every step runs, whatever the ones before it found, and the
// last line counts: each of vitest's tests is one, and each other step is one.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const counts = { passed: 0, failed: 0, skipped: 0 };

// Without dependencies or without a build nothing that follows could be believed.
if (step("prepare", ["scripts/prepare.mjs"])) {
  step("lint", ["node_modules/eslint/bin/eslint.js", "."]);
  step("format", ["node_modules/prettier/bin/prettier.cjs", "--check", "."]);
  step("typecheck", ["node_modules/typescript/bin/tsc"]);
  step("package", ["scripts/check-package.mjs"]);
  step("servers", ["scripts/servers.mjs"]);
  unitTests();
  step("newer Node", ["scripts/test-newer-node.mjs"]);
}

const { passed, failed, skipped } = counts;
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 ? 1 : 0;

/** @param {string} name @param {string[]} command */
function step(name, command) {
  const succeeded = run(name, command);
  counts[succeeded ? "passed" : "failed"] += 1;
  return succeeded;
}

function unitTests() {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-test-"));
  const report = join(folder, "vitest.json");
  const stuck = "--reporter=./scripts/stuck-tests.mjs";
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", stuck];
  const succeeded = run("unit tests", [...vitest, `--outputFile.json=${report}`]);
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

/** @param {string} name @param {string[]} command */
function run(name, command) {
  console.log(`\n── ${name} ${"─".repeat(Math.max(0, 76 - name.length))}`);
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, command, { stdio: "inherit" });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${name}: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
  return status === 0;
}
