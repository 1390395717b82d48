import { connect, type Lockstep } from "lockstep";
import type { Clock } from "lockstep/base";
import type { Guarantees } from "lockstep/store";
import { FaultProxy } from "../rig/fault-proxy.js";
import { Duties } from "./duties.js";
import { FalseTime } from "./false-time.js";
import type { Cluster, Ground, Place } from "./ground.js";
import { Party, RemoteParty } from "./party.js";
import { Witness } from "./witness.js";

export interface PartyOptions {
  /** Where it connects: to the server itself, unless said. */
  readonly address?: string;
  readonly clock?: Clock;
  readonly ttlMs?: number;
}

let worlds = 0;

/** What one bad day is played in: a store of its own, those who use it, and the network between them. */
export class World {
  readonly ttlMs: number;
  readonly place: Place;
  readonly guarantees: Guarantees;
  readonly witness = new Witness();
  readonly namespace = `day${process.pid}x${++worlds}`;
  readonly #ground: Ground;
  readonly #parties: (() => Promise<void>)[] = [];
  readonly #scenery: (() => Promise<void> | void)[] = [];

  constructor(ground: Ground, place: Place, guarantees: Guarantees) {
    this.#ground = ground;
    this.place = place;
    this.guarantees = guarantees;
    this.ttlMs = ground.ttlMs;
  }

  /** That of the server itself. */
  get address(): string {
    return this.place.address(this.namespace);
  }

  /** The server: there is one where the day says that it needs a network or a server. */
  get server() {
    if (!this.place.server) throw new Error(`${this.#ground.engine} has no server`);
    return this.place.server;
  }

  get hasServer(): boolean {
    return this.place.server !== undefined;
  }

  /** A proxy in front of the server, and the address by which clients go through it. */
  async proxy(): Promise<{ proxy: FaultProxy; address: string }> {
    const proxy = await FaultProxy.start({ to: this.server.port });
    this.#scenery.push(() => proxy.close());
    return { proxy, address: this.place.address(this.namespace, proxy.port) };
  }

  /** A time that processes can be made to believe in. */
  falseTime(): FalseTime {
    const time = new FalseTime();
    this.#scenery.push(() => {
      time.remove();
    });
    return time;
  }

  /** A server of its own that believes in it, a proxy in front of it, and the addresses by it and without. */
  async underFalseTime(time: FalseTime) {
    const place = await this.#ground.startUnder?.(time.env);
    if (!place?.server) throw new Error(`${this.#ground.engine} cannot be lied to about the time`);
    this.#scenery.push(() => place.stop());
    const proxy = await FaultProxy.start({ to: place.server.port });
    this.#scenery.push(() => proxy.close());
    const { namespace } = this;
    return { proxy, address: place.address(namespace, proxy.port), direct: place.address(namespace) };
  }

  async cluster(): Promise<Cluster> {
    if (!this.#ground.startCluster) throw new Error(`${this.#ground.engine} has no cluster`);
    const cluster = await this.#ground.startCluster();
    this.#scenery.push(() => cluster.stop());
    return cluster;
  }

  /** Somebody in this process. */
  async party(name: string, options: PartyOptions = {}): Promise<Party> {
    const duties = new Duties(await this.#connect(options));
    this.#parties.push(() => duties.close());
    const ask = async (duty: Exclude<keyof Duties, "close">, ...args: readonly unknown[]) =>
      (duties[duty] as (...args: readonly unknown[]) => unknown).call(duties, ...args);
    return new Party(name, this.witness, ask as ConstructorParameters<typeof Party>[2]);
  }

  /** Somebody in a process of its own. */
  async remoteParty(
    name: string,
    options: { readonly address?: string; readonly env?: Record<string, string> } = {},
  ): Promise<RemoteParty> {
    const how = { address: this.address, ttlMs: this.ttlMs, ...options };
    const party = await RemoteParty.start(name, this.witness, how);
    this.#parties.push(() => party.kill());
    return party;
  }

  /** The leader of several where a majority decides; else the one server. */
  async leader(): Promise<Pick<Cluster, "address" | "freezeLeader" | "thawLeader">> {
    if (!this.guarantees.failoverLosesCommits) return this.cluster();
    const { place, server } = this;
    const thaw = () => {
      server.kill("SIGCONT");
    };
    this.#scenery.push(thaw);
    return {
      address: (namespace) => place.address(namespace),
      freezeLeader: () => {
        server.kill("SIGSTOP");
      },
      thawLeader: thaw,
    };
  }

  /** A client for what parties do not do. */
  async client(options: PartyOptions = {}): Promise<Lockstep> {
    const client = await this.#connect(options);
    this.#parties.push(() => client.close());
    return client;
  }

  /** Waits until it is so; a day that waits for ever fails by its own time limit. */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isSo())) await this.pause(20);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** How many stand in the queue of a lock: who holds it, and who waits. */
  async queued(onlooker: Lockstep, lock = "lock"): Promise<number> {
    return (await onlooker.store.read({ prefix: `lock/${lock}/` })).entries.length;
  }

  async dispose(): Promise<void> {
    // Together, for whoever cannot be heard waits until its session is over.
    await Promise.all(this.#parties.map((leave) => leave()));
    for (const remove of this.#scenery.reverse()) await remove();
  }

  #connect({ address = this.address, ttlMs = this.ttlMs, clock }: PartyOptions): Promise<Lockstep> {
    return connect(address, { ttlMs, ...(clock && { clock }) });
  }
}
