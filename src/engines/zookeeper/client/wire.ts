import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import type { Clock, Timer } from "../../../base/clock.js";
import { LockstepError } from "../../../base/errors.js";
import type { Endpoint } from "../../../store/server-address.js";
import { JuteReader, JuteWriter } from "./jute.js";
import { fault, operation, ServerFault } from "./protocol.js";

/** What a server wants to know of who comes, and how it is come to. */
export interface Greeting {
  readonly tls: TlsFiles | undefined;
  /** A name and a password, for nodes that only they may see. */
  readonly credentials: string | undefined;
  /** A server that knows less than this is no use. */
  readonly zxidSeen: bigint;
  readonly timeoutMs: number;
  /** 0 for a new session. */
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

/** In PEM form. */
export interface TlsFiles {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
}

export interface WireEvents {
  /** A watch fired. */
  onEvent(path: string): void;
  onClose(): void;
}

export interface Reply {
  /** The last transaction that the server had applied when it answered. */
  readonly zxid: bigint;
  readonly body: JuteReader;
}

interface Waiting {
  readonly what: "write" | "read";
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

interface Settle {
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

const watchXid = -1;
const pingXid = -2;
const authXid = -4;
/** To reach one server; where it is not there but black-holed, the next one is tried after that. */
const connectsWithinMs = 3000;
/** A message that is longer is none; the server itself takes no more than 1 MiB of ours. */
const longestMessage = 256 * 1024 * 1024;

/**
 * One connection to one server. Answers come in the order of the questions; what was asked on a wire that
 * broke is never asked again by itself.
 *
 * A server that says nothing for two beats, though it was asked, counts as gone. One beat is not enough: who
 * wakes from a freeze sees his timers before the answers that came meanwhile.
 */
export class Wire {
  /** What the server granted. */
  timeoutMs = 0;
  sessionId = 0n;
  password: Uint8Array = new Uint8Array();
  /** The reading of the clock before the session was asked for. */
  readonly askedAt: number;
  zxidSeen: bigint;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #events: WireEvents;
  readonly #waiting: Waiting[] = [];
  readonly #outgoing: Uint8Array[] = [];
  #received: Buffer[] = [];
  #receivedLength = 0;
  /** How much must have come before it is worth a look. */
  #awaited = 4;
  #isGreeted = false;
  #greeted: Settle | undefined;
  #xid = 0;
  #isClosed = false;
  #isLeaving = false;
  #pings = 0;
  #heard = false;
  #silentBeats = 0;
  #timer: Timer | undefined;

  private constructor(socket: Socket, greeting: Greeting, clock: Clock, events: WireEvents) {
    this.#socket = socket;
    this.#clock = clock;
    this.#events = events;
    this.zxidSeen = greeting.zxidSeen;
    this.askedAt = clock.now();
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.#receive(bytes);
    });
    socket.on("error", (cause) => {
      this.#close(cause);
    });
    socket.on("close", () => {
      this.#close(new Error("the server closed the connection"));
    });
  }

  /** Connects and greets; where the session is over, `sessionId` is 0 then. */
  static async open(
    { host, port }: Endpoint,
    greeting: Greeting,
    clock: Clock,
    events: WireEvents,
  ): Promise<Wire> {
    const { tls } = greeting;
    // A name to ask for a certificate by; an address is none.
    const servername = isIP(host) === 0 ? host : "";
    const socket = tls ? connectSecure({ host, port, servername, ...tls }) : connectPlain({ host, port });
    const wire = new Wire(socket, greeting, clock, events);
    const late = clock.after(connectsWithinMs, () => {
      wire.#close(new Error(`${host}:${port} did not answer within ${connectsWithinMs} ms`));
    });
    try {
      await new Promise<void>((resolve, reject) => {
        wire.#greeted = { resolve, reject };
        socket.once(tls ? "secureConnect" : "connect", () => {
          wire.#greet(greeting);
        });
      });
    } finally {
      late.cancel();
    }
    return wire;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Looks whether the server is still there, at every beat; and asks it at each, if `pings`. */
  beat(everyMs: number, pings: boolean): void {
    this.#timer = this.#clock.after(
      everyMs,
      () => {
        const isAsked = this.#waiting.length > 0 || this.#pings > 0;
        this.#silentBeats = this.#heard || !isAsked ? 0 : this.#silentBeats + 1;
        this.#heard = false;
        if (this.#silentBeats >= 2) {
          this.#close(new Error(`the server did not answer within ${2 * everyMs} ms`));
          return;
        }
        if (pings && !isAsked) this.#ping();
        this.beat(everyMs, pings);
      },
      "background",
    );
  }

  /**
   * Asks, and resolves with the answer. Rejects with a ServerFault where the server refuses; with
   * 'unavailable', or 'unknown-outcome' for a write, when the wire breaks first.
   */
  request(what: "write" | "read", type: number, body: Uint8Array): Promise<Reply> {
    if (this.#isClosed || this.#isLeaving) {
      return Promise.reject(awayError(new Error("the connection is closed")));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ what, resolve, reject });
      this.#send(++this.#xid, type, body);
    });
  }

  /** Ends the session: the last that is asked here. */
  async leave(): Promise<void> {
    const answered = this.request("write", operation.closeSession, new Uint8Array());
    this.#isLeaving = true;
    try {
      await answered;
    } finally {
      this.destroy();
    }
  }

  /** Cuts the connection. What waits for an answer is told so. */
  destroy(): void {
    this.#close(new Error("the connection was closed here"));
  }

  #greet(greeting: Greeting): void {
    const hello = new JuteWriter().int(0).long(greeting.zxidSeen).int(greeting.timeoutMs);
    this.#write(hello.long(greeting.sessionId).buffer(greeting.password).bool(false).finish());
    if (greeting.credentials === undefined) return;
    const auth = new JuteWriter().int(0).string("digest").buffer(Buffer.from(greeting.credentials));
    this.#send(authXid, operation.auth, auth.finish());
  }

  #ping(): void {
    this.#pings++;
    this.#send(pingXid, operation.ping, new Uint8Array());
  }

  #send(xid: number, type: number, body: Uint8Array): void {
    const head = Buffer.allocUnsafe(8);
    head.writeInt32BE(xid);
    head.writeInt32BE(type, 4);
    this.#write(head, body);
  }

  /** What is written in one turn goes out together. */
  #write(...parts: Uint8Array[]): void {
    if (this.#outgoing.length === 0) {
      queueMicrotask(() => this.#socket.write(Buffer.concat(this.#outgoing.splice(0))));
    }
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
    this.#outgoing.push(length, ...parts);
  }

  #receive(bytes: Buffer): void {
    this.#heard = true;
    this.#received.push(bytes);
    this.#receivedLength += bytes.length;
    // Joined only when there is a whole message: a long one comes in many pieces.
    if (this.#receivedLength < this.#awaited) return;
    let rest = this.#received.length === 1 ? bytes : Buffer.concat(this.#received);
    this.#awaited = 4;
    while (rest.length >= 4 && !this.#isClosed) {
      const length = rest.readInt32BE();
      if (length < 0 || length > longestMessage) {
        this.#close(new Error("what answers there does not speak ZooKeeper's protocol"));
        return;
      }
      if (rest.length < 4 + length) {
        this.#awaited = 4 + length;
        break;
      }
      this.#understand(rest.subarray(4, 4 + length));
      rest = rest.subarray(4 + length);
    }
    this.#received = rest.length > 0 ? [rest] : [];
    this.#receivedLength = rest.length;
  }

  #understand(message: Buffer): void {
    try {
      if (this.#isGreeted) this.#hear(new JuteReader(message));
      else this.#hearGreeting(new JuteReader(message));
    } catch (cause) {
      this.#close(cause);
    }
  }

  #hearGreeting(reader: JuteReader): void {
    reader.int();
    this.timeoutMs = reader.int();
    this.sessionId = reader.long();
    this.password = Buffer.from(reader.buffer());
    this.#isGreeted = true;
    this.#greeted?.resolve();
  }

  #hear(reader: JuteReader): void {
    const xid = reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (zxid > this.zxidSeen) this.zxidSeen = zxid;
    if (xid === pingXid) {
      this.#pings = 0;
    } else if (xid === watchXid) {
      reader.int();
      reader.int();
      this.#events.onEvent(reader.string());
    } else if (xid === authXid) {
      if (code !== fault.ok) this.#close(new ServerFault(code));
    } else {
      const waiting = this.#waiting.shift();
      if (code === fault.ok) waiting?.resolve({ zxid, body: reader });
      else waiting?.reject(new ServerFault(code));
    }
  }

  #close(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#socket.destroy();
    this.#greeted?.reject(cause);
    for (const { what, reject } of this.#waiting.splice(0)) {
      reject(what === "write" ? unknownError(cause) : awayError(cause));
    }
    if (this.#isGreeted) this.#events.onClose();
  }
}

/** Nothing was asked, or nothing that changes anything. */
export function awayError(cause: unknown): LockstepError {
  return new LockstepError("unavailable", `zookeeper: no server answers: ${reasonOf(cause)}`, { cause });
}

function unknownError(cause: unknown): LockstepError {
  return new LockstepError(
    "unknown-outcome",
    `zookeeper: the connection broke before the server said whether the change was made: ${reasonOf(cause)}`,
    { cause, applied: "maybe" },
  );
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
