// The peers that Lockstep is measured against. They are no dependencies of the package: bench/peers names
// them, and there they are installed when a bench is first run.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { load } from "./peers/load.mjs";

const folder = new URL("peers/", import.meta.url);
const require = createRequire(new URL("package.json", folder));

interface RetryOptions {
  readonly forever: boolean;
  readonly factor: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
}

export interface ProperLockfile {
  readonly lock: (
    file: string,
    options: { realpath: false; retries: RetryOptions },
  ) => Promise<() => Promise<void>>;
}

export interface FsExt {
  readonly flock: (descriptor: number, flags: "ex" | "un", callback: (error: Error | null) => void) => void;
}

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

/**
 * Installs what is missing, or there in another version. Returns why native flock is not to be had, or
 * undefined where it is.
 */
export function preparePeers(): string | undefined {
  const { dependencies = {} } = manifest("package.json");
  if (Object.entries(dependencies).some(([peer, version]) => versionOf(peer) !== version)) install();
  try {
    loadFsExt();
    return undefined;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    return (
      `fs-ext (native flock) could not be built here, so that peer is left out: ${reason}\n` +
      "It needs Python, make and a C++ compiler; with these, delete bench/peers/node_modules and start again."
    );
  }
}

export function loadProperLockfile(): ProperLockfile {
  return require("proper-lockfile") as ProperLockfile;
}

export function loadFsExt(): FsExt {
  return require("fs-ext") as FsExt;
}

/** What the peer exports; only what the caller uses of it needs a type. */
export function loadPeer<Peer>(name: string): Promise<Peer> {
  return load(name) as Promise<Peer>;
}

/** Of all peers, those that are installed. */
export function peerVersions(): Record<string, string> {
  const { dependencies, optionalDependencies } = manifest("package.json");
  const names = Object.keys({ ...dependencies, ...optionalDependencies });
  const versions = names.map((name) => [name, versionOf(name)] as const);
  return Object.fromEntries(versions.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function versionOf(peer: string): string | undefined {
  const path = `node_modules/${peer}/package.json`;
  // Some write it with a v.
  return existsSync(new URL(path, folder)) ? manifest(path).version?.replace(/^v/, "") : undefined;
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(new URL(path, folder), "utf8")) as Manifest;
}

/** An optional dependency that cannot be built is skipped by npm, and found missing later. */
function install(): void {
  console.log(
    "installing the peers to measure against (npm ci in bench/peers); fs-ext is built from source ...",
  );
  const npm = ["ci", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", npm, { cwd: fileURLToPath(folder), stdio: "inherit" });
  if (status !== 0) throw new Error("npm ci failed in bench/peers; its message is above");
}
