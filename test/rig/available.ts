// Which servers can be started here. What cannot be run is reported as not run, and in CI it fails.
import { describe, expect, test } from "vitest";
import { findProgram, servers } from "../../scripts/find-servers.mjs";

export type ServerName = keyof typeof servers;

/** The path of a program that must be there: `initdb`, `pgbouncer`, `java` … */
export function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/** The path of a server: its program, or its archive where that is Java's. */
export function serverPath(server: ServerName): string {
  const path = servers[server].find();
  if (path === undefined) throw new Error(`${server} is not installed: ${howToInstall(server)}`);
  return path;
}

/** As `describe`, for tests that start a server. */
export function describeOn(server: ServerName, title: string, tests: () => void): void {
  if (servers[server].find() !== undefined) {
    describe(title, tests);
  } else if (process.env["CI"]) {
    test(title, () => expect.fail(`not run: ${howToInstall(server)}`));
  } else {
    describe.skip(`${title} (not run: ${howToInstall(server)})`, tests);
  }
}

function howToInstall(server: ServerName): string {
  return `apt-get install ${servers[server].packages.join(" ")}`;
}
