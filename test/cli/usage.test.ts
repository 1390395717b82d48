import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addressOf } from "../../src/cli/address.js";
import { durationOf, formatDuration } from "../../src/cli/duration.js";
import { useCommandLine } from "./command-line.js";

describe("bad input", () => {
  const lockstep = useCommandLine();

  test.each([
    [["run", "deploy"], /"--".*lockstep run deploy -- make deploy/],
    [["elect", "boss", "--"], /"--".*lockstep elect deploy -- make deploy/],
    [["run", "deploy", "make", "--", "x"], /"--"/],
    [["run", "deploy", "ls", "-l"], /unknown option '-l'; .*after "--".*lockstep run --help/],
    [["run", "deploy", "--timeout", "5", "--", "true"], /--timeout .*"5".* 250ms, 5s, 2m or 1h/],
    [["run", "deploy", "--ttl", "1ms", "--", "true"], /ttlMs must be .* from 100 /],
    [["put", "k", "v", "--if-revision", "new"], /--if-revision .*"new".*0 for a key that must not be there/],
    [["get"], /missing required argument 'key'; see: lockstep get --help/],
    [["get", "a\nb"], /control character/],
    [["gte", "k"], /unknown command 'gte' \(Did you mean get\?\); see: lockstep --help/],
    [["get", "k", "--on", "carrier-pigeon:x"], /no engine named "carrier-pigeon"/],
    [["get", "k", "--on", "lmdb:./x?namespace=y"], /takes no parameters/],
    [["run", "deploy", "--on", "", "--", "true"], /--on is empty/],
  ])("%j exits with 64 and one line that says what to do", async (args, message) => {
    const { status, stdout, stderr } = await lockstep.run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^lockstep: [^\n]+\n$/);
    expect([status, stdout]).toEqual([64, ""]);
  });

  test("a store that cannot be used exits with 69", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-cli-"));
    const file = join(folder, "file");
    writeFileSync(file, "");
    const { status, stderr } = await lockstep.run("get", "k", "--on", `lmdb:${file}`);
    rmSync(folder, { recursive: true });
    expect(status).toBe(69);
    expect(stderr).toMatch(/^lockstep: lmdb: cannot use .*choose another path.*\n$/);
  });
});

describe("help", () => {
  const lockstep = useCommandLine();

  test("each command has examples, and run tells its exit statuses", async () => {
    const { status, stdout } = await lockstep.run("--help");
    expect(status).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) .*\[options\]/gm)].map(([, name = ""]) => name);
    expect(commands).toEqual(["run", "elect", "get", "put", "delete", "list", "watch", "status", "check"]);
    for (const name of commands) {
      const help = await lockstep.run(name, "--help");
      expect(help.status).toBe(0);
      if (name !== "check") expect(help.stdout).toMatch(/--on <url>/);
      expect(help.stdout).toContain(`Examples:\n  $ lockstep ${name}`);
      if (name === "run") expect(help.stdout).toMatch(/^Exit status:$[^]*128\+n[^]*64[^]*75[^]*76[^]*127/m);
    }
  });

  test("without a command, the help is the answer, and the exit status 64", async () => {
    const { status, stderr } = await lockstep.run();
    expect(status).toBe(64);
    expect(stderr).toMatch(/^Usage: lockstep/);
  });
});

describe("the store's address", () => {
  const lockstep = useCommandLine();

  test("is --on, else LOCKSTEP_URL, else in the user's state directory", () => {
    expect(addressOf("lmdb:y", { LOCKSTEP_URL: "lmdb:x" })).toBe("lmdb:y");
    // As of a variable that was not set: the command must not run on a store that nobody else has.
    expect(() => addressOf("", {})).toThrow(/--on is empty/);
    // A store that ends with the command guards nothing.
    expect(() => addressOf("memory:", {})).toThrow(/ends with this command/);
    expect(addressOf(undefined, { LOCKSTEP_URL: "lmdb:x" })).toBe("lmdb:x");
    const state = { LOCKSTEP_URL: "", XDG_STATE_HOME: "/state" };
    expect(addressOf(undefined, state, "linux")).toBe("lmdb:/state/lockstep");
    const home = `lmdb:${homedir()}`;
    expect(addressOf(undefined, { XDG_STATE_HOME: "relative" }, "linux")).toBe(
      `${home}/.local/state/lockstep`,
    );
    expect(addressOf(undefined, state, "darwin")).toBe(`${home}/Library/Application Support/lockstep`);
  });

  test("the directory is made when it is first needed", async () => {
    const state = mkdtempSync(join(tmpdir(), "lockstep-cli-"));
    const environment = { LOCKSTEP_URL: "", XDG_STATE_HOME: join(state, "new") };
    const { status } = await lockstep.runWith({ environment }, "put", "k", "v");
    if (process.platform === "linux") expect(readdirSync(join(state, "new/lockstep"))).not.toEqual([]);
    rmSync(state, { recursive: true });
    expect(status).toBe(0);
  });
});

test("durations are read with their unit, and shown for people", () => {
  const parse = durationOf("--ttl");
  expect(["250ms", "0s", "1.5s", "2m", "1h"].map(parse)).toEqual([250, 0, 1500, 120_000, 3_600_000]);
  for (const text of ["", "5", "s", "5 s", "-5s", "5d", "1e3s", "5s5"])
    expect(() => parse(text)).toThrow("--ttl");
  const shown = [0, 999, 1000, 59_990, 60_000, 125_000, 3_720_000, 273_600_000].map(formatDuration);
  expect(shown).toEqual(["0ms", "999ms", "1.0s", "59.9s", "1m00s", "2m05s", "1h02m", "3d04h"]);
});
