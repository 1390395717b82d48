import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../base/clock.js";

/** What peers tell the store. */
export interface PeerEvents {
  /** Someone says that something changed. */
  onRing(): void;
  /** The kernel says that a peer is no more. */
  onDeath(peer: string): Promise<void>;
}

/** The longest path of a Unix socket that every system takes. */
const longestSocketPath = 100;
const firstRedialMs = 1;
const longestRedialMs = 1000;

/**
 * The clients of one directory, each connected to each other one by a Unix socket.
 *
 * A byte over it is a doorbell. When a connection ends, the peer is dialled again: if nobody listens at its
 * socket any more, the kernel has closed that too, and the process is dead. Nothing less is taken for a
 * death, for whoever believes in one ends sessions whose owners may hold something. A client that goes in
 * good order has forgotten itself in the store before; a frozen one still listens, and is left to its time to
 * live.
 */
export class Peers {
  readonly id: string;
  /** Where this client's doorbell hangs. */
  readonly socketPath: string;
  readonly #events: PeerEvents;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #connections = new Map<string, Socket>();
  /** All sockets, those too that have not yet said who they are. */
  readonly #sockets = new Set<Socket>();
  /** Rung before they were connected: they are on their way, and are rung when they arrive. */
  readonly #awaited = new Set<string>();
  #closed = false;

  private constructor(id: string, socketPath: string, server: Server, clock: Clock, events: PeerEvents) {
    this.id = id;
    this.socketPath = socketPath;
    this.#server = server;
    this.#clock = clock;
    this.#events = events;
    server.on("connection", (socket) => {
      this.#welcome(socket);
    });
    server.on("error", ignoreError);
  }

  /** Hangs up a doorbell. */
  static async listen(id: string, directory: string, clock: Clock, events: PeerEvents): Promise<Peers> {
    const server = createServer();
    const socketPath = socketPathIn(directory, id);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socketPath, resolve);
    });
    // A process that has nothing left to do but to be reachable may end.
    server.unref();
    return new Peers(id, socketPath, server, clock, events);
  }

  /** Connects to a peer that was there before us. Resolves when it is connected, or dead and buried. */
  dial(peer: string, socketPath: string, redialMs = firstRedialMs): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(socketPath);
      this.#sockets.add(socket);
      socket.once("connect", () => {
        socket.unref();
        socket.write(`${this.id} ${this.socketPath}\n`);
        this.#converse(peer, socketPath, socket, redialMs);
        resolve();
      });
      socket.once("error", (error: NodeJS.ErrnoException) => {
        this.#sockets.delete(socket);
        // Nobody listens at a socket that is there. Any other failure proves nothing.
        if (error.code === "ECONNREFUSED") resolve(this.#died(peer, socketPath));
        else {
          if (error.code !== "ENOENT") this.#dialAgain(peer, socketPath, redialMs);
          resolve();
        }
      });
    });
  }

  /** Wakes peers; never waits for them. */
  ring(peers: Iterable<string>): void {
    for (const peer of peers) {
      if (peer === this.id) continue;
      const socket = this.#connections.get(peer);
      if (!socket) this.#awaited.add(peer);
      // One that has unread rings waiting for it, being frozen, will look at everything when it wakes.
      else if (socket.writableLength === 0) socket.write("!");
    }
  }

  /** Goes away in good order: the others already know. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.socketPath, { force: true });
  }

  /** A newcomer begins with a line that says who it is and where its doorbell hangs. */
  #welcome(socket: Socket): void {
    socket.unref();
    this.#sockets.add(socket);
    let line = "";
    const onData = (data: Buffer) => {
      line += data.toString();
      const end = line.indexOf("\n");
      if (end < 0) return;
      socket.off("data", onData);
      const space = line.indexOf(" ");
      this.#converse(line.slice(0, space), line.slice(space + 1, end), socket, firstRedialMs);
      if (line.length > end + 1) this.#events.onRing();
    };
    socket.on("data", onData);
    socket.on("error", ignoreError);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #converse(peer: string, socketPath: string, socket: Socket, redialMs: number): void {
    this.#connections.set(peer, socket);
    if (this.#awaited.delete(peer)) socket.write("!");
    let heard = false;
    socket.on("data", () => {
      heard = true;
      this.#events.onRing();
    });
    socket.on("error", ignoreError);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#connections.get(peer) === socket) this.#connections.delete(peer);
      if (this.#closed) return;
      // One that went in good order may have had news for us, and not have met us yet.
      this.#events.onRing();
      // Where none was heard of, it may listen and yet end every connection, for want of file descriptors.
      this.#dialAgain(peer, socketPath, heard ? firstRedialMs : redialMs);
    });
  }

  /** Not in the same instant: a dying process closes its sockets one after the other. */
  #dialAgain(peer: string, socketPath: string, delayMs: number): void {
    const dial = () => {
      if (!this.#closed) void this.dial(peer, socketPath, Math.min(2 * delayMs, longestRedialMs));
    };
    this.#clock.after(delayMs, dial, "background");
  }

  async #died(peer: string, socketPath: string): Promise<void> {
    if (this.#closed) return;
    this.#awaited.delete(peer);
    try {
      await this.#events.onDeath(peer);
      // Only now: without its socket the others could not tell that it is dead.
      rmSync(socketPath, { force: true });
    } catch {
      // A burial that fails leaves the dead to their time to live.
    }
  }
}

/** In the directory, where whoever shares it finds it; elsewhere only if the path would be too long. */
function socketPathIn(directory: string, id: string): string {
  const name = `${id}.sock`;
  const path = join(directory, name);
  return Buffer.byteLength(path) <= longestSocketPath ? path : join(tmpdir(), `lockstep-${name}`);
}

function ignoreError(): void {
  // Every error of a socket is followed by its close, and that is what counts.
}
