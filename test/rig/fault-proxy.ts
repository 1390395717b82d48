import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Fate, FaultyPipe, type Weather } from "./faulty-pipe.js";
import { freePort } from "./free-port.js";

/** Whom bytes are on their way to. */
export type Way = "server" | "client";

export interface FaultProxyOptions {
  /** Where the server listens on 127.0.0.1. */
  readonly to: number;
  /** Names who connects, by the port that it comes from; then the weather may be different for each. */
  readonly senderOf?: (port: number) => string | undefined;
  /** Whether who connects while bytes are held is turned away, and not left to wait. */
  readonly turnsAway?: boolean;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly pipes: Readonly<Record<Way, FaultyPipe>>;
}

const fair: Weather = { fate: "pass", delayMs: 0 };

/** A proxy in front of a server, which loses, holds and delays what passes when it is told to. */
export class FaultProxy {
  readonly port: number;
  /** Connections that it has accepted so far. */
  accepted = 0;
  readonly #options: FaultProxyOptions;
  readonly #links = new Set<Link>();
  /** Of the links that are gone. */
  readonly #passed: Record<Way, number> = { server: 0, client: 0 };
  #server: Server | undefined;
  #weather: (way: Way, sender: () => string | undefined) => Weather = () => fair;

  private constructor(port: number, options: FaultProxyOptions) {
    this.port = port;
    this.#options = options;
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(await freePort(), options);
    await proxy.#listen();
    return proxy;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#links.size;
  }

  /** Bytes that have gone that way so far. */
  passed(way: Way): number {
    return [...this.#links].reduce((sum, { pipes }) => sum + pipes[way].passed, this.#passed[way]);
  }

  /** What goes these ways waits; both ways if none is named. Who connects is accepted and hears nothing. */
  hold(...ways: Way[]): void {
    this.#setFate("hold", ways);
  }

  /** What goes these ways is lost; both ways if none is named. */
  drop(...ways: Way[]): void {
    this.#setFate("drop", ways);
  }

  /** Everything comes so much later, each way. */
  delay(delayMs: number): void {
    this.setWeather(() => ({ fate: "pass", delayMs }));
  }

  /** For each way and each sender its own; for whoever comes from now on, too. */
  setWeather(weather: (way: Way, sender: () => string | undefined) => Weather): void {
    this.#weather = weather;
    for (const { pipes } of this.#links) {
      pipes.server.pump();
      pipes.client.pump();
    }
  }

  /** All is well again: what was held goes on, and what has lost something is cut: no stream has a hole. */
  async heal(): Promise<void> {
    for (const link of this.#links) if (link.pipes.server.hasLost || link.pipes.client.hasLost) cut(link);
    this.setWeather(() => fair);
    if (!this.#server) await this.#listen();
  }

  /** Every connection ends now, and new ones are taken as before. */
  cut(): void {
    for (const link of this.#links) cut(link);
  }

  /** Every connection ends now, and new ones are refused until it is healed. */
  async refuse(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    this.cut();
    await closed;
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  #setFate(fate: Fate, ways: Way[]): void {
    const isHit = (way: Way) => ways.length === 0 || ways.includes(way);
    this.setWeather((way) => (isHit(way) ? { fate, delayMs: 0 } : fair));
  }

  async #listen(): Promise<void> {
    const server = createServer((client) => {
      this.#accept(client);
    });
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    const { remotePort = 0 } = client;
    let known: string | undefined;
    // Looked for when the weather asks, and once: it takes its time.
    const sender = () => (known ??= this.#options.senderOf?.(remotePort));
    const server = connect(this.#options.to, "127.0.0.1");
    const pipe = (way: Way, from: Socket, to: Socket) =>
      new FaultyPipe(from, to, () => this.#weather(way, sender));
    const pipes = { server: pipe("server", client, server), client: pipe("client", server, client) };
    const link = { client, server, pipes };
    this.#links.add(link);
    if (this.#options.turnsAway && this.#weather("server", sender).fate === "hold") cut(link);
    for (const socket of [client, server]) {
      // That it ended is what counts, and "close" tells of that.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (client.destroyed && server.destroyed) this.#forget(link);
      });
    }
  }

  #forget(link: Link): void {
    if (!this.#links.delete(link)) return;
    this.#passed.server += link.pipes.server.passed;
    this.#passed.client += link.pipes.client.passed;
  }
}

function cut({ client, server }: Link): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
