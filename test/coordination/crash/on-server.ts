import { afterEach, beforeEach } from "vitest";
import { describeOn, type ServerName } from "../../rig/available.js";
import type { Server } from "../recipes/on-server.js";
import { crashes } from "./suite.js";

/** A new server for each crash test. */
export function crashesOn(name: ServerName, start: () => Promise<Server>, ttlMs?: number): void {
  describeOn(name, `on ${name}`, () => {
    let server: Server;
    beforeEach(async () => {
      server = await start();
    }, 60_000);
    afterEach(() => server.stop());

    crashes(() => server.address, ttlMs);
  });
}
