import { FaultProxy } from "./fault-proxy.js";
import type { RunningServer } from "./running-server.js";

/** A server that takes writes, and one that is told of them, through a proxy, and may take its place. */
export class PrimaryAndStandby<Server extends RunningServer> {
  readonly #primary: Server;
  readonly #standby: Server;
  readonly #proxy: FaultProxy;
  readonly #promote: (standby: Server) => Promise<void> | void;
  #leader: Server;

  private constructor(
    servers: { primary: Server; standby: Server },
    proxy: FaultProxy,
    promote: (standby: Server) => Promise<void> | void,
  ) {
    this.#primary = this.#leader = servers.primary;
    this.#standby = servers.standby;
    this.#proxy = proxy;
    this.#promote = promote;
  }

  /** `follow` starts a standby of the server that is behind a port. */
  static async of<Server extends RunningServer>(
    primary: Server,
    follow: (port: number) => Promise<Server>,
    promote: (standby: Server) => Promise<void> | void,
  ): Promise<PrimaryAndStandby<Server>> {
    const proxy = await FaultProxy.start({ to: primary.port });
    const standby = await follow(proxy.port);
    return new PrimaryAndStandby({ primary, standby }, proxy, promote);
  }

  /** Where the server is that takes writes. */
  get hosts(): string {
    return `127.0.0.1:${this.leaderPort}`;
  }

  get leaderHost(): string {
    return this.hosts;
  }

  get leaderPort(): number {
    return this.#leader.port;
  }

  /** From now on the standby hears of no write. */
  async stopReplication(): Promise<void> {
    this.#proxy.hold();
  }

  /** The primary dies, and the standby is promoted. */
  async killLeader(): Promise<void> {
    this.#primary.kill("SIGKILL");
    await this.#primary.exited();
    await this.#promote(this.#standby);
    this.#leader = this.#standby;
  }

  freezeLeader(): void {
    this.#leader.kill("SIGSTOP");
  }

  thawLeader(): void {
    this.#leader.kill("SIGCONT");
  }

  async heal(): Promise<void> {
    await this.#proxy.heal();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#primary.stop(), this.#standby.stop(), this.#proxy.close()]);
  }
}
