// What a browser allows runs in one.
import { EventEmitter, once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { chromium, startChromium } from "./chromium.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));

test.skipIf(chromium === undefined)(
  "lockstep/sync and lockstep/threads run in a page",
  { timeout: 60_000 },
  async () => {
    const results = await resultsOfPage();
    expect(Object.keys(results).length).toBeGreaterThan(3);
    for (const [check, result] of Object.entries(results)) expect(result, check).toBe("ok");
  },
);

/** Serves the page to a browser, and gives what the page sends back. */
async function resultsOfPage(): Promise<Record<string, string>> {
  const page = new EventEmitter();
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      void text(request).then((body) => page.emit("results", JSON.parse(body)));
      response.end();
    } else {
      serve(request, response);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await startChromium(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const [results] = (await once(page, "results")) as [Record<string, string>];
  return results;
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const path = new URL(request.url ?? "/", "http://localhost").pathname;
  // A page gets shared memory only when it is isolated from all others.
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
  if (path === "/") {
    response.setHeader("Content-Type", "text/html");
    response.end('<script type="module" src="/page.js"></script>');
    return;
  }
  const file = path.startsWith("/dist/") ? join(root, path) : join(here, path);
  if (!existsSync(file)) {
    response.statusCode = 404;
    response.end();
    return;
  }
  response.setHeader("Content-Type", "text/javascript");
  response.end(readFileSync(file));
}
