import type { ServerProcess } from "./server-process.js";
import { removeFolder } from "./temporary-folder.js";

/** A server that runs for the tests, on a port of its own and with what it keeps in a folder of its own. */
export class RunningServer {
  /** Of a store on it, without a namespace. */
  readonly address: string;
  readonly port: number;
  readonly folder: string;
  readonly #process: ServerProcess;

  constructor(process: ServerProcess, place: { address: string; port: number; folder: string }) {
    this.address = place.address;
    this.port = place.port;
    this.folder = place.folder;
    this.#process = process;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The last that it said. */
  get output(): string {
    return this.#process.output;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Resolves when the process is gone, however it went. */
  exited(): Promise<void> {
    return this.#process.exited;
  }

  /** Ends it, if it still runs, and starts it anew, with the same data and on the same port. */
  restart(): Promise<void> {
    return this.#process.restart();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    removeFolder(this.folder);
  }
}
