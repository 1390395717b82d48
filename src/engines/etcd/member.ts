import { connect, type ClientHttp2Session, type SecureClientSessionOptions } from "node:http2";
import type { Clock } from "../../base/clock.js";
import { CallFailure } from "./call-failure.js";
import { GrpcCall, unsent, type Listener, type Metadata } from "./grpc-call.js";
import type { Method } from "./messages.js";

/**
 * A watch has nothing to send, so only this finds out that its server fell silent. etcd cuts off whoever asks
 * more often than every 5 seconds.
 */
const pingEveryMs = 6000;
const pingWithinMs = 3000;
/** So much may come before it is acknowledged that it did. */
const windowBytes = 1024 * 1024;

/** How connections are encrypted; undefined where they are not. */
export type Certificates = Pick<SecureClientSessionOptions, "ca" | "cert" | "key"> | undefined;

interface Cancelable {
  cancel(words?: string): void;
}

/** One server of the cluster, and the connection to it, which is made when it is first needed. */
export class Member {
  readonly #where: string;
  readonly #certificates: Certificates;
  readonly #clock: Clock;
  readonly #streams = new Set<Cancelable>();
  /** All that are not gone yet; one whose server says good-bye ends with its last call. */
  readonly #sessions = new Set<ClientHttp2Session>();
  /** The one for calls to come. */
  #session: ClientHttp2Session | undefined;
  #isGreeted = false;
  #connecting: Promise<void> | undefined;

  constructor(where: string, certificates: Certificates, clock: Clock) {
    this.#where = where;
    this.#certificates = certificates;
    this.#clock = clock;
  }

  get isConnected(): boolean {
    return this.#isGreeted && this.#session?.closed === false && !this.#session.destroyed;
  }

  /** So what is sent after it and not answered is known to have been sent. */
  connect(withinMs: number): Promise<void> {
    this.#connecting ??= this.#connect(withinMs).finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  /** One question, one answer, or a CallFailure. */
  ask<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    metadata: Metadata,
    withinMs: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      let answer: Response | undefined;
      const call = this.#begin(method, metadata, {
        onMessage: (response) => (answer = response),
        onEnd: (words) => {
          timer.cancel();
          if (words === undefined && answer !== undefined) resolve(answer);
          else reject(this.failure(words ?? "there was no answer"));
        },
      });
      const session = this.#session;
      const timer = this.#clock.after(withinMs, () => {
        call.cancel(`no answer within ${Math.round(withinMs)} ms`);
        // It may be dead without a word.
        if (session) this.#retire(session);
      });
      call.send(request);
      call.finish();
    });
  }

  /** A stream in both directions. */
  open<Request, Response>(
    method: Method<Request, Response>,
    metadata: Metadata,
    { onMessage, onEnd }: Listener<Response>,
  ): GrpcCall<Request, Response> {
    const stream = this.#begin(method, metadata, {
      onMessage,
      onEnd: (words) => {
        this.#streams.delete(stream);
        onEnd(words);
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  /** Ends all streams: whoever uses them opens others elsewhere. */
  endStreams(): void {
    for (const stream of [...this.#streams]) stream.cancel();
  }

  failure(words: string): CallFailure {
    return new CallFailure(this.#where, words);
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Whoever asks from now on does so on another connection; so do the streams. */
  #retire(session: ClientHttp2Session): void {
    session.close();
    this.endStreams();
  }

  #begin<Request, Response>(method: Method<Request, Response>, metadata: Metadata, to: Listener<Response>) {
    if (!this.#session || !this.isConnected) throw this.failure(unsent);
    return new GrpcCall(this.#session, method, metadata, to);
  }

  #connect(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const scheme = this.#certificates ? "https" : "http";
      const session = connect(`${scheme}://${this.#where}`, {
        ...this.#certificates,
        // Not even what etcd's limits let through is too large for us.
        maxSessionMemory: Number.MAX_SAFE_INTEGER,
        settings: { enablePush: false, initialWindowSize: windowBytes },
      });
      this.#session = session;
      this.#sessions.add(session);
      this.#isGreeted = false;
      const fail = (reason: string) => {
        session.destroy();
        reject(this.failure(`${unsent}: ${reason}`));
      };
      const timer = this.#clock.after(withinMs, () => fail(`not within ${Math.round(withinMs)} ms`));
      // Whatever else accepts a connection does not say this.
      session.once("remoteSettings", () => {
        timer.cancel();
        session.setLocalWindowSize(windowBytes);
        this.#isGreeted = true;
        this.#listenTo(session);
        session.once("goaway", () => this.#retire(session));
        resolve();
      });
      session.on("error", (error: Error) => fail(error.message));
      session.once("close", () => {
        timer.cancel();
        this.#sessions.delete(session);
        fail("it was closed");
      });
    });
  }

  /** Finds out, while there are streams, whether the server is still there. */
  #listenTo(session: ClientHttp2Session): void {
    this.#clock.after(
      pingEveryMs,
      () => {
        if (session.closed || session.destroyed) return;
        this.#listenTo(session);
        if (this.#streams.size === 0) return;
        const late = this.#clock.after(pingWithinMs, () => session.destroy(), "background");
        session.ping(() => late.cancel());
      },
      "background",
    );
  }
}
