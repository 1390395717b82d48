import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createConnection } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { freePort } from "./free-port.js";
import { accepts, ServerProcess } from "./server-process.js";
import { removeFolder, temporaryFolder } from "./temporary-folder.js";

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0)) await clean();
});

async function start(script: string, ready: number | RegExp): Promise<ServerProcess> {
  const args = ["--input-type=module", "--eval", script];
  const server = await ServerProcess.start({ name: "a server", command: process.execPath, args, ready });
  cleanup.push(() => server.stop());
  return server;
}

function listenOn(port: number): string {
  return `import { createServer } from "node:net"; createServer().listen(${port}, "127.0.0.1");`;
}

test("a server is ready when its port accepts, ends by its pid, and comes back to its port", async () => {
  const port = await freePort();
  const server = await start(listenOn(port), port);
  const first = server.pid;
  server.kill("SIGKILL");
  await server.exited;
  expect(server.isRunning).toBe(false);
  expect(await accepts(port)).toBe(false);
  await server.restart();
  expect(server.pid).not.toBe(first);
  expect(await accepts(port)).toBe(true);
});

test("a server is ready when it says so", async () => {
  const server = await start(`console.log("here I am"); setInterval(() => 0, 1000);`, /here I am/);
  expect(server.output).toContain("here I am");
});

test("one that ends before it is ready is told of with its last words", async () => {
  await expect(start(`console.error("no disk"); process.exit(3);`, /never/)).rejects.toThrow(/no disk/);
});

test("a program that is not there is told of", async () => {
  const spec = { name: "a server", command: "no-such-program", args: [], ready: /never/ };
  await expect(ServerProcess.start(spec)).rejects.toThrow(/no-such-program/);
});

test("one that is frozen, or deaf to SIGTERM, is ended all the same", async () => {
  const port = await freePort();
  const server = await start(listenOn(port), port);
  server.kill("SIGSTOP");
  await server.stop();
  expect(server.isRunning).toBe(false);
  const deaf = await start(`process.on("SIGTERM", () => 0); ${listenOn(port)}`, port);
  await deaf.stop();
  expect(deaf.isRunning).toBe(false);
});

test.runIf(process.platform === "linux")("it does not outlive who started it", async () => {
  const port = await freePort();
  const module = fileURLToPath(new URL("server-process.ts", import.meta.url));
  const script = `import { ServerProcess } from ${JSON.stringify(module)};
    const args = ["--input-type=module", "--eval", ${JSON.stringify(listenOn(port))}];
    await ServerProcess.start({ name: "it", command: process.execPath, args, ready: ${port} });
    console.log("started");`;
  const loader = fileURLToPath(new URL("../../scripts/typescript.mjs", import.meta.url));
  const args = ["--import", loader, "--input-type=module", "--eval", script];
  const starter = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(starter.stdout, "data");
  const socket = createConnection(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => undefined);
  const gone = [socket, starter].map((each) => new Promise((resolve) => each.on("close", resolve)));
  starter.kill("SIGKILL");
  await Promise.all(gone);
});

test("a temporary folder is gone when it is removed", () => {
  const folder = temporaryFolder("rig");
  expect(existsSync(folder)).toBe(true);
  removeFolder(folder);
  expect(existsSync(folder)).toBe(false);
});
