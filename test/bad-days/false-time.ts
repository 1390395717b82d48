import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tools } from "../../scripts/find-servers.mjs";
import { removeFolder, temporaryFolder } from "../rig/temporary-folder.js";

/** Makes processes believe in another wall clock, which may be set while they run; their monotonic one is true. */
export class FalseTime {
  readonly #folder = temporaryFolder("false-time");
  readonly #file = join(this.#folder, "offset");

  constructor() {
    this.set(0);
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
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  set(offsetMs: number): void {
    writeFileSync(this.#file, `${offsetMs < 0 ? "-" : "+"}${Math.abs(offsetMs) / 1000}\n`);
  }

  remove(): void {
    removeFolder(this.#folder);
  }
}
