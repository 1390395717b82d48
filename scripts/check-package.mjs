// Checks the package as its users will get it: packs it as npm would publish it, then lints the tarball's
// package.json (publint) and resolves the types of every export (attw). Needs a build, and no network.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const folder = mkdtempSync(join(tmpdir(), "lockstep-pack-"));
try {
  const windows = process.platform === "win32";
  const packed = run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], windows);
  const tarball = join(folder, readdirSync(folder)[0] ?? "");
  const linted = packed && run(process.execPath, ["node_modules/publint/src/cli.js", tarball, "--strict"]);
  const attw = ["node_modules/@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only"];
  // It prints a page even when all is well, so it is asked to explain itself only when something is not.
  const typed = packed && (run(process.execPath, [...attw, "--quiet"]) || run(process.execPath, attw));
  process.exitCode = linted && typed ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** @param {string} command @param {string[]} args @param {boolean} shell */
function run(command, args, shell = false) {
  return spawnSync(command, args, { stdio: "inherit", shell }).status === 0;
}
