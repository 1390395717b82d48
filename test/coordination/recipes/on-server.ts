import { afterAll, beforeAll } from "vitest";
import { describeOn, type ServerName } from "../../rig/available.js";
import { groundAt } from "./grounds.js";
import { recipes } from "./suite.js";

/** A server that a rig has started. */
export interface Server {
  /** Without a namespace. */
  readonly address: string;
  stop(): Promise<void>;
}

/** One server for all the tests of the suite, and a namespace for each. */
export function recipesOn(
  name: ServerName,
  start: () => Promise<Server>,
  addressOf: (server: Server, namespace: string) => string,
): void {
  describeOn(name, `on ${name}`, () => {
    let server: Server;
    let tests = 0;
    beforeAll(async () => {
      server = await start();
    }, 60_000);
    afterAll(() => server.stop());

    recipes(name, async () => groundAt(addressOf(server, `recipes-${tests++}`)));
  });
}
