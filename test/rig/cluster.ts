import { setTimeout as sleep } from "node:timers/promises";
import type { PeerNetwork } from "./peer-network.js";
import type { ServerProcess } from "./server-process.js";

/** A server among others of which one leads. */
export interface Member {
  readonly process: ServerProcess;
  /** Where its clients find it. */
  readonly port: number;
  /** Whether it leads, as far as it knows; false when it does not answer soon. */
  isLeading(): Promise<boolean>;
}

/** Several servers of which a majority decides, and what can be done to their leader. */
export class ServerCluster {
  readonly #members: readonly Member[];
  readonly #network: PeerNetwork;
  readonly #remove: () => void;
  /** Who led when it was last asked. */
  #leader: Member;

  private constructor(members: readonly Member[], network: PeerNetwork, remove: () => void) {
    this.#members = members;
    this.#network = network;
    this.#remove = remove;
    this.#leader = members[0]!;
  }

  /** Resolves when there is a leader. */
  static async of(
    members: readonly Member[],
    network: PeerNetwork,
    remove: () => void,
  ): Promise<ServerCluster> {
    const cluster = new ServerCluster(members, network, remove);
    await cluster.#findLeader(members);
    return cluster;
  }

  /** Where clients find them all, as an address has it. */
  get hosts(): string {
    return this.#members.map(({ port }) => `127.0.0.1:${port}`).join(",");
  }

  get leaderHost(): string {
    return `127.0.0.1:${this.#leader.port}`;
  }

  /** Resolves when another leads. */
  async killLeader(): Promise<void> {
    const { process } = this.#leader;
    process.kill("SIGKILL");
    await process.exited;
    await this.#findLeader(this.#others());
  }

  /** Its peers neither hear it nor are heard; its clients reach it still. Resolves when another leads. */
  async isolateLeader(): Promise<void> {
    this.#network.isolate(this.#members.indexOf(this.#leader));
    await this.#findLeader(this.#others());
  }

  freezeLeader(): void {
    this.#leader.process.kill("SIGSTOP");
  }

  thawLeader(): void {
    this.#leader.process.kill("SIGCONT");
  }

  heal(): Promise<void> {
    return this.#network.heal();
  }

  async stop(): Promise<void> {
    // At once, for a server without the others takes its time to say good-bye.
    for (const { process } of this.#members) if (process.isRunning) process.kill("SIGKILL");
    await Promise.all(this.#members.map(({ process }) => process.exited));
    await this.#network.close();
    this.#remove();
  }

  #others(): Member[] {
    return this.#members.filter((member) => member !== this.#leader);
  }

  async #findLeader(among: readonly Member[]): Promise<void> {
    for (;;) {
      for (const member of among) {
        if (!(await member.isLeading())) continue;
        this.#leader = member;
        return;
      }
      await sleep(50);
    }
  }
}
