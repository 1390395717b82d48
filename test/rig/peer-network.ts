import { connectionOwner } from "./connection-owner.js";
import { FaultProxy } from "./fault-proxy.js";

/** A member of a cluster, as far as its network goes. */
export interface Peer {
  /** Of its process, which may change. */
  readonly pid: number;
  readonly isRunning: boolean;
}

/**
 * The network between the members of a cluster. A proxy stands in front of each port by which they reach each
 * other, and knows by the process at the other end who calls; so any of them can be cut off from the others,
 * while its clients reach it still.
 */
export class PeerNetwork {
  readonly #peers: Peer[] = [];
  readonly #proxies: { readonly of: number; readonly proxy: FaultProxy }[] = [];

  /** The port by which the others are to reach this port of the member of that number. */
  async front(member: number, port: number): Promise<number> {
    const proxy: FaultProxy = await FaultProxy.start({
      to: port,
      // Members of a cluster wait long for who accepts and says nothing, and would do nothing else.
      turnsAway: true,
      senderOf: (from) => this.#memberAt(from, proxy.port)?.toString(),
    });
    this.#proxies.push({ of: member, proxy });
    return proxy.port;
  }

  /** The members, in the order of their numbers. */
  connect(peers: readonly Peer[]): void {
    this.#peers.splice(0, Infinity, ...peers);
  }

  /** Nothing more comes from that member to another, nor from another to it. */
  isolate(member: number): void {
    for (const { of, proxy } of this.#proxies) {
      proxy.setWeather((_way, sender) => {
        const isCut = of === member || sender() === String(member);
        return { fate: isCut ? "hold" : "pass", delayMs: 0 };
      });
    }
  }

  async heal(): Promise<void> {
    await Promise.all(this.#proxies.map(({ proxy }) => proxy.heal()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map(({ proxy }) => proxy.close()));
  }

  #memberAt(from: number, to: number): number | undefined {
    const pids = this.#peers.map((peer) => (peer.isRunning ? peer.pid : 0));
    const owner = connectionOwner(pids, from, to);
    return owner === undefined ? undefined : pids.indexOf(owner);
  }
}
