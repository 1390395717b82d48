import type { ChannelCredentials, Client, ClientDuplexStream, Metadata, ServiceError } from "@grpc/grpc-js";
import type { Clock } from "../../base/clock.js";
import { CallFailure } from "./call-failure.js";
import type { Grpc, Method } from "./protocol.js";

const channelOptions = {
  // Not even what etcd's limits let through is too large for us; and every client has its own connection.
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.use_local_subchannel_pool": 1,
  // Its bookkeeping for debuggers costs a quarter of each call.
  "grpc.enable_channelz": 0,
  // What is asked again, and where, is decided here.
  "grpc.enable_retries": 0,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2000,
  // A watch has nothing to send, so only this finds out that its server fell silent. etcd cuts off whoever
  // asks more often than every 5 seconds.
  "grpc.keepalive_time_ms": 6000,
  "grpc.keepalive_timeout_ms": 3000,
};

/** One server of the cluster, and the connection to it, which is made when it is first needed. */
export class Member {
  readonly #where: string;
  readonly #grpc: Grpc;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #asked = new Set<{ cancel(): void }>();
  readonly #streams = new Set<{ cancel(): void }>();

  constructor(grpc: Grpc, where: string, credentials: ChannelCredentials, clock: Clock) {
    this.#where = where;
    this.#grpc = grpc;
    // Else a host named "unix" would be taken for a scheme.
    this.#client = new grpc.Client(`dns:${where}`, credentials, channelOptions);
    this.#clock = clock;
  }

  get isConnected(): boolean {
    return this.#client.getChannel().getConnectivityState(true) === this.#grpc.connectivityState.READY;
  }

  /**
   * Waits for the connection; so what is then sent and not answered is known to have been sent. Where there
   * is none to be had it resolves too: the call itself tells why, and that it never left.
   */
  connect(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { IDLE, CONNECTING } = this.#grpc.connectivityState;
      const channel = this.#client.getChannel();
      let isTooLate = false;
      const timer = this.#clock.after(withinMs, () => {
        isTooLate = true;
        reject(this.failure(`No connection established within ${Math.round(withinMs)} ms`));
      });
      const look = () => {
        if (isTooLate) return;
        const state = channel.getConnectivityState(true);
        if (state === IDLE || state === CONNECTING) {
          channel.watchConnectivityState(state, Infinity, look);
          return;
        }
        timer.cancel();
        resolve();
      };
      look();
    });
  }

  /** One question, one answer, or a CallFailure. */
  ask<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    metadata: Metadata,
    withinMs: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const settle = (error: ServiceError | null, response?: Response) => {
        timer.cancel();
        this.#asked.delete(call);
        if (error) reject(this.failure(error.details));
        else resolve(response as Response);
      };
      const call = method.requestStream
        ? this.#askOnStream(method, request, metadata, settle)
        : this.#client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize,
            request,
            metadata,
            settle,
          );
      this.#asked.add(call);
      const timer = this.#clock.after(withinMs, () => {
        reject(this.failure(`no answer within ${Math.round(withinMs)} ms`));
        call.cancel();
      });
    });
  }

  /** A stream in both directions; the caller listens to its end. */
  open<Request, Response>(
    method: Method<Request, Response>,
    metadata: Metadata,
  ): ClientDuplexStream<Request, Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    this.#streams.add(stream);
    stream.once("status", () => this.#streams.delete(stream));
    return stream;
  }

  /** Ends all streams: whoever uses them opens others elsewhere. */
  endStreams(): void {
    for (const stream of this.#streams) stream.cancel();
  }

  failure(words: string): CallFailure {
    return new CallFailure(this.#where, words);
  }

  close(): void {
    for (const call of this.#asked) call.cancel();
    this.endStreams();
    this.#client.close();
  }

  /** For what etcd offers only as a stream: the first answer is all that is wanted of it. */
  #askOnStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    metadata: Metadata,
    settle: (error: ServiceError | null, response?: Response) => void,
  ): { cancel(): void } {
    const stream = this.open(method, metadata);
    stream.once("data", (response: Response) => {
      settle(null, response);
      stream.cancel();
    });
    stream.on("error", settle);
    stream.write(request);
    return stream;
  }
}
