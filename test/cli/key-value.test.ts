import { casRegister, recorder } from "lockstep/check";
import { expect, test } from "vitest";
import { mustBeLinearizable } from "../check/must-be-linearizable.js";
import { useCommandLine } from "./command-line.js";

const lockstep = useCommandLine();

test("put, get, list and delete", async () => {
  const put = await lockstep.run("put", "config/rate", "50");
  expect(put).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\n$/) as string, stderr: "" });
  const revision = put.stdout.trim();
  expect(await lockstep.run("get", "config/rate")).toEqual({ status: 0, stdout: "50", stderr: "" });
  expect(JSON.parse((await lockstep.run("get", "config/rate", "--json")).stdout)).toEqual({
    key: "config/rate",
    value: "50",
    revision,
    created: revision,
  });

  const several = await lockstep.runWith({ input: "two\nlines\n" }, "put", "config/text", "-");
  expect((await lockstep.run("get", "config/text")).stdout).toBe("two\nlines\n");
  await lockstep.run("put", "other", "x");
  expect((await lockstep.run("list", "config/")).stdout).toBe(
    `config/rate\t${revision}\t50\nconfig/text\t${several.stdout.trim()}\t"two\\nlines\\n"\n`,
  );
  const listed = JSON.parse((await lockstep.run("list", "--json")).stdout) as { key: string }[];
  expect(listed.map(({ key }) => key)).toEqual(["config/rate", "config/text", "other"]);

  expect((await lockstep.run("delete", "config/rate")).status).toBe(0);
  expect(await lockstep.run("get", "config/rate")).toEqual({
    status: 1,
    stdout: "",
    stderr: 'lockstep: there is no key "config/rate"\n',
  });
  expect((await lockstep.run("delete", "config/rate")).status).toBe(0);
});

test("bytes that are no text survive, and are base64 in JSON", async () => {
  const bytes = Uint8Array.of(0xff, 0x00, 0x0a);
  await lockstep.runWith({ input: bytes }, "put", "raw", "-");
  expect(JSON.parse((await lockstep.run("get", "raw", "--json")).stdout)).toMatchObject({
    valueBase64: "/wAK",
  });
});

test("--if-revision refuses a write, with exit status 1 and the current state", async () => {
  const first = await lockstep.run("put", "owner", "me", "--if-revision", "0", "--json");
  const { revision } = JSON.parse(first.stdout) as { revision: string };
  expect(JSON.parse(first.stdout)).toEqual({ ok: true, revision });

  expect(await lockstep.run("put", "owner", "you", "--if-revision", "0")).toEqual({
    status: 1,
    stdout: "",
    stderr: `lockstep: refused: "owner" is at revision ${revision} with the value me\n`,
  });
  const refused = await lockstep.run("delete", "owner", "--if-revision", "999", "--json");
  expect(refused.status).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, current: { value: "me", revision } });

  expect((await lockstep.run("put", "owner", "us", "--if-revision", revision)).status).toBe(0);
  expect((await lockstep.run("delete", "owner", "--if-revision", revision)).status).toBe(1);
  const absent = await lockstep.run("delete", "nobody", "--if-revision", "5", "--json");
  expect([absent.status, absent.stdout]).toEqual([1, '{"ok":false,"current":null}\n']);
});

test("processes that read and write one key at once see one register", async () => {
  const record = recorder();
  const work = async (name: string) => {
    const client = record.client(name);
    const run = async (...args: string[]) => (await lockstep.run(...args)).status === 0;
    await client.call("cas", null, `${name}1`, () => run("put", "x", `${name}1`, "--if-revision", "0"));
    await client.call("read", async () => (await lockstep.run("get", "x")).stdout || null);
    await client.call("write", `${name}2`, () => run("put", "x", `${name}2`));
    await client.call("read", async () => (await lockstep.run("get", "x")).stdout || null);
  };
  await Promise.all(["a", "b", "c"].map(work));
  mustBeLinearizable(record.history, casRegister());
});

test("watch prints how things stand and then each change, and ends cleanly when interrupted", async () => {
  await lockstep.run("put", "config/a", "1");
  const lines = lockstep.start("watch", "config/");
  const json = lockstep.start("watch", "config/", "--json");
  await lines.printed(/^resync\t\d+\t1\nkey\tconfig\/a\t\d+\t1\n$/);
  await json.printed(/"kind":"resync".*"value":"1".*\n/);
  const revision = (await lockstep.run("put", "config/b", "two\nlines")).stdout.trim();
  await lockstep.run("put", "elsewhere", "x");
  await lockstep.run("delete", "config/a");
  await lines.printed(new RegExp(`put\tconfig/b\t${revision}\t"two\\\\nlines"\ndelete\tconfig/a\t\\d+\n$`));
  await json.printed(/"kind":"delete"/);
  lines.kill("SIGINT");
  json.kill("SIGTERM");
  expect(await lines.ended).toMatchObject({ status: 0, stderr: "" });
  const { status, stdout } = await json.ended;
  const changes = stdout.trim().split("\n");
  expect(status).toBe(0);
  expect(changes.slice(1).map((line) => JSON.parse(line) as unknown)).toEqual([
    { kind: "put", key: "config/b", value: "two\nlines", revision, created: revision },
    { kind: "delete", key: "config/a", revision: expect.stringMatching(/^\d+$/) as string },
  ]);
});

test("watch ends cleanly when its reader goes away", async () => {
  const watch = lockstep.start("watch");
  await watch.printed(/resync/);
  watch.process.stdout?.destroy();
  await lockstep.run("put", "a", "1");
  expect(await watch.ended).toMatchObject({ status: 0, stderr: "" });
});
