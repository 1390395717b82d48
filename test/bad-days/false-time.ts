import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tools } from "../../scripts/find-servers.mjs";
import { removeFolder, temporaryFolder } from "../rig/temporary-folder.js";

/** How long they may go by what they read before: a server that reads a file for each look is a slow one. */
const rereadSeconds = 1;

/** Makes processes believe in another wall clock, which may be set; their monotonic one stays true. */
export class FalseTime {
  readonly #folder = temporaryFolder("false-time");
  readonly #file = join(this.#folder, "offset");

  constructor() {
    // For servers that run as somebody else, too.
    chmodSync(this.#folder, 0o755);
    this.#write(0);
  }

  static get isPossible(): boolean {
    return tools["faketime"]?.find() !== undefined;
  }

  /** The environment of who is to believe in it. */
  get env(): Record<string, string> {
    return {
      // With libc's own malloc: Redis's asks for the time while the library that fakes it is not ready yet.
      LD_PRELOAD: `${tools["faketime"]?.find() ?? ""} libc.so.6`,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: String(rereadSeconds),
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** By so much against the real time. Resolves when everyone believes in it. */
  async set(offsetMs: number): Promise<void> {
    this.#write(offsetMs);
    // It counts whole seconds, and more of them than it was told.
    await sleep((rereadSeconds + 1) * 1000 + 200);
  }

  remove(): void {
    removeFolder(this.#folder);
  }

  #write(offsetMs: number): void {
    writeFileSync(this.#file, `${offsetMs < 0 ? "-" : "+"}${Math.abs(offsetMs) / 1000}\n`);
  }
}
