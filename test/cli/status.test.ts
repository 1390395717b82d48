import { expect, test } from "vitest";
import { loop, until, useCommandLine } from "./command-line.js";

const lockstep = useCommandLine();

test("shows an empty store", async () => {
  const { status, stdout } = await lockstep.run("status");
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^lmdb lmdb:.*\n\nLocks: none\n\nElections: none\n\nSessions: none\n\nPromises\n {2}reach +one host\n/,
  );
});

test("shows who holds, who waits, who leads, and which sessions live", async () => {
  const command = ["--", "sh", "-c", loop("exit 0")];
  const holder = lockstep.start("run", "deploy", "--ttl", "30s", ...command);
  const [, token = ""] = await until("holder", async () => {
    return /"locks":\[.*?"token":"(\d+)"/.exec((await lockstep.run("status", "--json")).stdout);
  });
  const waiter = lockstep.start("run", "deploy", ...command);
  const leader = lockstep.start("elect", "boss", "--value", "10.0.0.7", ...command);
  const text = await until("waiter and leader", async () => {
    const { stdout } = await lockstep.run("status");
    return /waits/.test(stdout) && /leads/.test(stdout) && stdout;
  });
  const age = String.raw`\d[\dms.]*`;
  const who = (pid?: number) => `\\S+:${pid} sh -c trap`;
  expect(text).toMatch(
    new RegExp(
      `Locks\n +NAME +TOKEN +AGE +EXPIRES IN +WHO\n` +
        ` +deploy +holds +${token} +${age} +[23]\\d\\.\\ds +${who(holder.process.pid)}.*\n` +
        ` +waits, 1\\. +\\d+ +${age} +\\d\\.\\ds +${who(waiter.process.pid)}.*\n\n` +
        `Elections\n +NAME +TOKEN +AGE +EXPIRES IN +WHO +VALUE\n` +
        ` +boss +leads +\\d+ +${age} +\\d\\.\\ds +${who(leader.process.pid)}.*10\\.0\\.0\\.7\n\n` +
        `Sessions\n +SESSION +TTL +EXPIRES IN +WHO\n`,
    ),
  );
  expect(text).not.toContain("\u001b");
  const json = JSON.parse((await lockstep.run("status", "--json")).stdout) as Record<string, unknown>;
  expect(json).toMatchObject({
    store: { engine: "lmdb", noticesDeath: true, ttl: { minMs: 100 } },
    locks: [{ name: "deploy", holder: { token }, queue: [{}] }],
    elections: [{ name: "boss", holder: { value: "10.0.0.7" }, queue: [] }],
    sessions: [{}, {}, {}],
  });
});

test("--watch goes on until it is interrupted", async () => {
  const watch = lockstep.start("status", "--watch", "--json");
  await watch.printed(/^\{.*\}\n\{.*\}\n/);
  watch.kill("SIGINT");
  expect(await watch.ended).toMatchObject({ status: 0, stderr: "" });
});
