// The commands on each of the servers that a store can stand on.
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOn, type ServerName } from "../rig/available.js";
import { startEtcd } from "../rig/etcd.js";
import { startPostgres } from "../rig/postgres.js";
import { startRedis } from "../rig/redis.js";
import type { RunningServer } from "../rig/running-server.js";
import { storeAddress } from "../rig/store-address.js";
import { startZookeeper } from "../rig/zookeeper.js";
import { loop, useCommandLine } from "./command-line.js";

const starts: [ServerName, () => Promise<RunningServer>][] = [
  ["etcd", startEtcd],
  ["postgres", startPostgres],
  ["redis", startRedis],
  ["zookeeper", startZookeeper],
];

for (const [engine, start] of starts) {
  describeOn(engine, `the command line on ${engine}`, () => {
    let server: RunningServer;
    let stores = 0;
    beforeAll(async () => {
      server = await start();
    }, 60_000);
    afterAll(() => server.stop());
    const lockstep = useCommandLine(() =>
      storeAddress(engine, `127.0.0.1:${server.port}`, `cli-${stores++}`),
    );

    test("run: one at a time, with rising tokens", async () => {
      const script = 'mkdir "$0" && sleep 0.1 && rmdir "$0" && echo "$LOCKSTEP_TOKEN"';
      const section = `/tmp/lockstep-${process.pid}-${engine}`;
      const runs = [1, 2, 3].map(() => lockstep.run("run", "deploy", "--", "sh", "-c", script, section));
      const outcomes = await Promise.all(runs);
      expect(outcomes).toEqual(outcomes.map(({ stdout }) => ({ status: 0, stdout, stderr: "" })));
      expect(new Set(outcomes.map(({ stdout }) => BigInt(stdout))).size).toBe(3);
      const held = lockstep.start("run", "deploy", "--", "sh", "-c", loop("exit 0"));
      await held.printed(/up/);
      const refused = await lockstep.run("run", "deploy", "--timeout", "0s", "--", "echo", "ran");
      expect(refused).toMatchObject({ status: 75, stdout: "" });
      held.kill("SIGTERM");
      expect((await held.ended).status).toBe(0);
    });

    test("--on says where the store is, and status what it promises", async () => {
      const holder = lockstep.start("run", "deploy", "--", "sh", "-c", loop("exit 0"));
      await holder.printed(/up/);
      const text = await lockstep.runWith(
        { environment: { LOCKSTEP_URL: "lmdb:/dev/null" } },
        ...["status", "--on", lockstep.url],
      );
      expect(text).toMatchObject({ status: 0, stderr: "" });
      expect(text.stdout).toMatch(new RegExp(`^${engine} .*\\n\\nLocks\\n`));
      expect(text.stdout).toMatch(/deploy +holds/);
      expect(text.stdout).toMatch(/\nPromises\n +reach +many hosts\n/);
      holder.kill("SIGTERM");
      await holder.ended;
    });

    test("keys are put, got, listed, watched and deleted; a leader is elected", async () => {
      const watch = lockstep.start("watch", "config/");
      expect((await lockstep.run("put", "config/a", "one")).status).toBe(0);
      expect(await lockstep.run("get", "config/a")).toMatchObject({ status: 0, stdout: "one" });
      expect((await lockstep.run("list", "config/")).stdout).toContain("config/a");
      await watch.printed(/config\/a/);
      expect((await lockstep.run("delete", "config/a")).status).toBe(0);
      watch.kill("SIGINT");
      await watch.ended;
      const leads = await lockstep.run("elect", "boss", "--", "echo", "I lead");
      expect(leads).toMatchObject({ stdout: expect.stringContaining("I lead") as string });
    });
  });
}
