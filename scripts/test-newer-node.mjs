// Runs the tests of what depends on the engine most, its threads and its event loop, on a newer Node as well.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const folder = "test/newer-node";
const node = `${folder}/node_modules/node/bin/node`;

if (!existsSync(node)) {
  run("npm", ["ci", "--no-audit", "--no-fund", "--prefix", folder]);
}
run(node, [
  "node_modules/vitest/vitest.mjs",
  "run",
  "test/sync",
  "test/threads",
  "test/explore",
  // Every interleaving of one thread's steps is the same on every Node.
  "--exclude=test/threads/lock-word-interleavings.test.ts",
  "--typecheck.enabled=false",
]);

/** @param {string} command @param {string[]} options */
function run(command, options) {
  const { status } = spawnSync(command, options, { stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) process.exit(status ?? 1);
}
