import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useCommandLine } from "./command-line.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-check-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, ...lines: string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return path;
}

/** A write, and a read after it that sees `value`. */
function writeAndRead(value: number): string[] {
  return [
    '{"id":0,"client":"a","event":"invoke","name":"write","args":[1]}',
    '{"id":0,"event":"ok"}',
    '{"id":1,"client":"b","event":"invoke","name":"read"}',
    `{"id":1,"event":"ok","result":${value}}`,
  ];
}

describe("lockstep check", () => {
  const lockstep = useCommandLine();

  test("a promise that was kept exits with 0, and says what was assumed", async () => {
    const file = fileOf("valid.jsonl", ...writeAndRead(1));
    const { status, stdout, stderr } = await lockstep.run("check", file);
    expect(stdout).toBe(`valid: ${file} keeps linearizable
  2 operations of 2 clients, read as json-lines, judged as register
  register by what was done; --as says otherwise
  linearizable is the usual level; --level asks for others
`);
    expect([status, stderr]).toEqual([0, ""]);
  });

  test("a broken one exits with 1, and shows the operations and their lines", async () => {
    const file = fileOf("violation.jsonl", ...writeAndRead(2));
    const { status, stdout } = await lockstep.run("check", file);
    const [verdict] = stdout.split("\n");
    expect(verdict).toBe(`violation: ${file} breaks linearizable`);
    expect(stdout).toMatch(/LINES +CLIENT +OPERATION\n[^]*3-4 +b +read\(\) → 2\n/);
    expect(status).toBe(1);
  });

  test("what cannot be found out exits with 3, and says why", async () => {
    const file = fileOf("sessions.txt", "w x 1", "=====", "r x 1");
    const { status, stdout } = await lockstep.run("check", file, "--level", "strict-serializable");
    expect(stdout).toMatch(
      /^unknown: whether .* keeps strict-serializable was not found out: .*does not say/,
    );
    expect(status).toBe(3);
  });

  test.each([
    [["no-such-file"], /cannot read .*no-such-file: ENOENT/],
    [["-"], /standard input:2: this is no JSON .*; expected an object a line/],
    [["good", "--as", "registry"], /there is no object "registry"; there are register, .*rw-register/],
    [["good", "--as", "toString"], /there is no object "toString"/],
    [["good", "--as", "queue"], /queue knows .*not write\(1\)/],
    [["good", "--as", "queue", "--initial", "1"], /--initial is for register, .*; not for "queue"/],
    [["good", "--level", "best"], /there is no level "best"; there are linearizable, .*strongest/],
    [["good", "--level", "serializable"], /serializable is about transactions/],
    [["good", "--format", "xml"], /there is no format "xml"; there are json-lines, edn/],
    [["good", "--html", "."], /cannot write \.: it is a directory/],
    [["good", "--html", "/no/such/place.html"], /cannot write .*place.html: ENOENT/],
    [["empty"], /empty: there is no operation in it/],
    [["latin-1"], /latin-1:1: here or soon after stand bytes that are no UTF-8/],
  ])("%j exits with 2 and one line that says what to do", async (args, message) => {
    fileOf("good", ...writeAndRead(1));
    fileOf("empty", "[]");
    writeFileSync(join(folder, "latin-1"), Buffer.from("é", "latin1"));
    const [file = "", ...options] = args;
    const path = file === "-" ? file : join(folder, file);
    const input = `${writeAndRead(1)[0]}\n{"id":`;
    const { status, stdout, stderr } = await lockstep.runWith({ input }, "check", path, ...options);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^lockstep: [^\n]+\n$/);
    expect([status, stdout]).toEqual([2, ""]);
  });

  test("--on has no meaning here, and says so", async () => {
    const { status, stderr } = await lockstep.run("check", "history.jsonl", "--on", "redis://localhost");
    expect(stderr).toMatch(/check takes no --on: it judges a file/);
    expect(status).toBe(64);
  });

  test("--json tells programs all of it", async () => {
    const input = writeAndRead(2).join("\n");
    const { status, stdout } = await lockstep.runWith(
      { input },
      "check",
      "-",
      "--json",
      "--level",
      "sequential",
    );
    const told = JSON.parse(stdout) as { anomalies: { operations: { line: number; result: unknown }[] }[] };
    expect(told).toMatchObject({ verdict: "violation", level: "sequential", file: "standard input" });
    expect(told).toMatchObject({ format: "json-lines", object: "register", operations: 2, clients: 2 });
    expect(told.anomalies[0]?.operations).toContainEqual(expect.objectContaining({ line: 3, result: 2 }));
    expect(status).toBe(1);
  });

  test("--initial is what was there at first", async () => {
    const read = writeAndRead(2).slice(2);
    const file = fileOf("initial.jsonl", ...read);
    expect((await lockstep.run("check", file)).status).toBe(1);
    expect((await lockstep.run("check", file, "--initial", "2")).status).toBe(0);
    expect((await lockstep.run("check", file, "--initial", "two")).status).toBe(1);
  });

  test("--level strongest says how far it goes, and what breaks the next", async () => {
    // It reads its own write late: each client alone sees what it may.
    const file = fileOf("stale.jsonl", ...writeAndRead(1).slice(0, 2), ...writeAndRead(0).slice(2));
    const { status, stdout } = await lockstep.run("check", file, "--level", "strongest", "--initial", "0");
    expect(stdout).toMatch(/^valid: .* keeps sequential, and breaks linearizable\n/);
    expect(stdout).toMatch(/linearizable +violation[^]*It breaks linearizable:/);
    expect(status).toBe(0);
  });

  test("--html writes a page that needs nothing else", async () => {
    const page = join(folder, "page.html");
    const file = fileOf("pictured.jsonl", ...writeAndRead(2));
    const { status, stdout } = await lockstep.run("check", file, "--html", page);
    expect(stdout).toContain(`The picture is in ${page}\n`);
    expect(status).toBe(1);
    const html = readFileSync(page, "utf8");
    expect(html).toMatch(/^<!doctype html>/i);
    expect(html).not.toMatch(/(src|href)="http/);
  });
});
