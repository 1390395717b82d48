// Makes a clone ready to run: installs the dependencies and builds dist/, each only where something changed.
// Plain JavaScript without dependencies, for it is the first thing that runs in a fresh clone.
//
//   node scripts/prepare.mjs           do what is needed, in silence when nothing is
//   node scripts/prepare.mjs --build   build dist/ in any case
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

// A stamp is written only after success, so that a half-finished install or build is done over. Both lie in
// node_modules because `npm ci` clears that: a new compiler means a new build.
const installedStamp = "node_modules/.lockstep-installed";
const builtStamp = "node_modules/.lockstep-built";

requireNode(20, 19);
install();
build();

/** @param {number} major @param {number} minor */
function requireNode(major, minor) {
  const [ourMajor = 0, ourMinor = 0] = process.versions.node.split(".").map(Number);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  fail(`Node ${major}.${minor} or newer is needed, and this is Node ${process.versions.node}.`);
}

function install() {
  const wanted = fingerprint(["package-lock.json"]);
  if (read(installedStamp) === wanted) return;
  say("installing dependencies (npm ci) ...");
  const npm = ["ci", "--include=dev", "--no-audit", "--no-fund"];
  // On Windows npm is a batch file, which only a shell can run.
  const { status } = spawnSync("npm", npm, { stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0)
    fail("npm ci failed; its message is above. Is the package registry within reach?", status);
  writeFileSync(installedStamp, wanted);
}

function build() {
  const configs = readdirSync(".").filter((name) => /^tsconfig.*\.json$/.test(name));
  const sources = filesUnder("src");
  const wanted = fingerprint([...configs, ...sources]);
  const upToDate = existsSync("dist") && read(builtStamp) === wanted;
  if (upToDate && !process.argv.includes("--build")) return;
  say("building dist/ ...");
  const tsc = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--listEmittedFiles"];
  const { status, stdout } = spawnSync(process.execPath, tsc, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = stdout.split(/\r?\n/);
  const emitted = lines.filter((line) => line.startsWith("TSFILE: ")).map((line) => resolve(line.slice(8)));
  const messages = lines.filter((line) => line !== "" && !line.startsWith("TSFILE: "));
  if (messages.length > 0) console.error(messages.join("\n"));
  if (status !== 0) fail("the build failed; the compiler's messages are above.", status);

  const copied = sources.filter((source) => !/\.[cm]?tsx?$/.test(source)).map(copyToDist);
  // Clearing dist/ beforehand would pull it from under a running process, so what is stale goes afterwards.
  const kept = new Set([...emitted, ...copied]);
  for (const file of filesUnder("dist")) if (!kept.has(resolve(file))) rmSync(file);
  if (existsSync("dist/cli/main.js")) chmodSync("dist/cli/main.js", 0o755);
  writeFileSync(builtStamp, wanted);
}

/** Engines' scripts (.lua, .sql) travel beside the code that loads them. @param {string} source */
function copyToDist(source) {
  const target = join("dist", relative("src", source));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
  return resolve(target);
}

/** Of names and contents, not of times, which any checkout or copy changes. @param {string[]} paths */
function fingerprint(paths) {
  const hash = createHash("sha256");
  for (const path of paths.sort()) {
    const text = readFileSync(path);
    hash.update(`${path.split(sep).join("/")} ${text.length}\n`).update(text);
  }
  return hash.digest("hex");
}

/** @param {string} folder */
function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @param {string} path */
function read(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** @param {string} message */
function say(message) {
  console.log(`lockstep: ${message}`);
}

/** @param {string} message @param {number | null} status @returns {never} */
function fail(message, status = 1) {
  console.error(`lockstep: ${message}`);
  process.exit(status ?? 1);
}
