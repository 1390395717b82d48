import { rmSync } from "node:fs";
import { createServer, connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What peers tell the store. */
export interface PeerEvents {
  /** Someone says that something changed. */
  onRing(): void;
  /** The kernel says that a peer is no more. */
  onDeath(peer: string): void;
}

/** The longest path of a Unix socket that every system takes. */
const longestSocketPath = 100;
const idLength = 16;

/**
 * The clients of one directory, each connected to each other one by a Unix socket.
 *
 * A byte over it is a doorbell. Its end is a death: a client forgets itself in the store before it closes its
 * sockets, so a connection that ends before that was ended by the kernel, because the process is gone.
 * Nothing else ends one; a frozen process keeps its connections, and is left to its time to live.
 */
export class Peers {
  readonly id: string;
  /** Where this client's doorbell hangs. */
  readonly socketPath: string;
  readonly #events: PeerEvents;
  readonly #server: Server;
  readonly #connections = new Map<string, Socket>();
  /** All sockets, those too that have not yet said who they are. */
  readonly #sockets = new Set<Socket>();
  /** Rung before they were connected: they are on their way, and are rung when they arrive. */
  readonly #awaited = new Set<string>();
  #closed = false;

  private constructor(id: string, socketPath: string, server: Server, events: PeerEvents) {
    this.id = id;
    this.socketPath = socketPath;
    this.#server = server;
    this.#events = events;
    server.on("connection", (socket) => {
      this.#welcome(socket);
    });
  }

  /** Hangs up a doorbell. */
  static async listen(id: string, directory: string, events: PeerEvents): Promise<Peers> {
    const server = createServer();
    const socketPath = socketPathIn(directory, id);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socketPath, resolve);
    });
    // A process that has nothing left to do but to be reachable may end.
    server.unref();
    return new Peers(id, socketPath, server, events);
  }

  /** Connects to a peer that was there before us. Resolves when it is connected, or known to be dead. */
  dial(peer: string, socketPath: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(socketPath);
      socket.unref();
      this.#sockets.add(socket);
      socket.once("connect", () => {
        socket.write(this.id);
        this.#converse(peer, socket);
        resolve();
      });
      socket.once("error", (error: NodeJS.ErrnoException) => {
        this.#sockets.delete(socket);
        // Nobody listens at a socket that is there: its process is dead. Any other failure proves nothing.
        if (error.code === "ECONNREFUSED") this.#died(peer, socketPath);
        resolve();
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

  /** A newcomer begins with its name. */
  #welcome(socket: Socket): void {
    socket.unref();
    this.#sockets.add(socket);
    let name = "";
    const onData = (data: Buffer) => {
      name += data.toString("latin1");
      if (name.length < idLength) return;
      socket.off("data", onData);
      this.#converse(name.slice(0, idLength), socket);
      if (name.length > idLength) this.#events.onRing();
    };
    socket.on("data", onData);
    socket.on("error", ignoreError);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #converse(peer: string, socket: Socket): void {
    this.#connections.set(peer, socket);
    if (this.#awaited.delete(peer)) socket.write("!");
    socket.on("data", () => {
      this.#events.onRing();
    });
    socket.on("error", ignoreError);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#connections.get(peer) === socket) this.#connections.delete(peer);
      if (!this.#closed) this.#died(peer);
    });
  }

  #died(peer: string, socketPath?: string): void {
    if (this.#closed) return;
    this.#awaited.delete(peer);
    this.#events.onDeath(peer);
    if (socketPath !== undefined) rmSync(socketPath, { force: true });
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
