import { afterAll, beforeAll } from "vitest";
import { describeOn, type ServerName } from "../../rig/available.js";
import type { RunningServer } from "../../rig/running-server.js";
import { storeAddress } from "../../rig/store-address.js";
import { groundAt } from "./grounds.js";
import { recipes } from "./suite.js";

/** One server for all the tests of the suite, and a namespace for each. */
export function recipesOn(name: ServerName, start: () => Promise<RunningServer>): void {
  describeOn(name, `on ${name}`, () => {
    let server: RunningServer;
    let tests = 0;
    beforeAll(async () => {
      server = await start();
    }, 60_000);
    afterAll(() => server.stop());

    recipes(name, async () => groundAt(storeAddress(name, `127.0.0.1:${server.port}`, `recipes-${tests++}`)));
  });
}
