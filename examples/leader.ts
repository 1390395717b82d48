// Three processes stand for election; whoever leads is seen by all, and when it dies, the next takes over:
//
//   node --import ./scripts/typescript.mjs examples/leader.ts
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect, type Lockstep } from "lockstep";

async function lead(ls: Lockstep): Promise<void> {
  for await (const term of ls.election("scheduler").campaign({ value: `process ${process.pid}` })) {
    console.log(`process ${process.pid}: I lead`);
    await sleep(500, undefined, { signal: term.signal });
    console.log(`process ${process.pid}: I crash`);
    process.kill(process.pid, "SIGKILL");
  }
}

async function observe(ls: Lockstep, signal: AbortSignal): Promise<void> {
  for await (const leader of ls.election("scheduler").observe({ signal })) {
    console.log(`observer: ${leader ? `${leader.value} leads, token ${leader.token}` : "nobody leads"}`);
  }
}

const [candidateAddress] = process.argv.slice(2);
if (candidateAddress !== undefined) {
  await lead(await connect(candidateAddress));
} else {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-leader-"));
  const address = `lmdb:${directory}`;
  await using ls = await connect(address);
  const allGone = new AbortController();
  const observing = observe(ls, allGone.signal).catch(() => console.log("observer: that was all"));
  const candidate = () => once(fork(fileURLToPath(import.meta.url), [address]), "exit");
  await Promise.all([candidate(), candidate(), candidate()]);
  allGone.abort();
  await observing;
  rmSync(directory, { recursive: true });
}
