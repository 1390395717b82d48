import { afterEach, beforeEach } from "vitest";
import { describeOn, type ServerName } from "../../rig/available.js";
import type { RunningServer } from "../../rig/running-server.js";
import { crashes } from "./suite.js";

/** A new server for each crash test. */
export function crashesOn(name: ServerName, start: () => Promise<RunningServer>, ttlMs?: number): void {
  describeOn(name, `on ${name}`, () => {
    let server: RunningServer;
    beforeEach(async () => {
      server = await start();
    }, 60_000);
    afterEach(() => server.stop());

    crashes(() => server.address, ttlMs);
  });
}
