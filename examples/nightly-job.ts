// A cron job that is due in several processes at the same time, and that one of them runs:
//
//   node --import ./scripts/typescript.mjs examples/nightly-job.ts
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect, type Lockstep } from "lockstep";

async function nightlyReport(ls: Lockstep, night: string): Promise<string> {
  await using held = await ls.lock("nightly-report").tryAcquire();
  if (!held) return "somebody else is at it";
  const last = await ls.kv.get("report");
  // What stands there carries the token of its writer.
  const written = last ? (JSON.parse(last.text) as { night: string; token: string }) : undefined;
  if (written?.night === night) return "it is done already";

  await sleep(500, undefined, { signal: held.signal });

  // The fence: should this process have been frozen, and the lock gone to another, then that one's token is
  // higher. Tokens only rise, so whatever stores the result can tell who is too late, and refuse it.
  if (written && BigInt(written.token) > held.token) return "too late, the result is thrown away";
  const report = JSON.stringify({ night, token: held.token.toString() });
  const { ok } = await ls.kv.put("report", report, { ifRevision: last?.revision ?? 0n });
  return ok ? `report written, with token ${held.token}` : "too late, the result is thrown away";
}

const [address] = process.argv.slice(2);
if (address !== undefined) {
  await using ls = await connect(address);
  // Cron rings in all processes at the same moment: here, at the next third second.
  await sleep(3000 - (Date.now() % 3000));
  console.log(`process ${process.pid}: ${await nightlyReport(ls, "2031-05-17")}`);
} else {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-nightly-"));
  const start = () => once(fork(fileURLToPath(import.meta.url), [`lmdb:${directory}`]), "exit");
  await Promise.all([start(), start(), start()]);
  rmSync(directory, { recursive: true });
}
