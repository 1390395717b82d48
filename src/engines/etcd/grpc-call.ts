import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import type { Method } from "./messages.js";
import { decoded, encoded } from "./protobuf.js";

/** What goes along with a call, such as who asks. */
export type Metadata = Readonly<Record<string, string>>;

export interface Listener<Response> {
  readonly onMessage: (response: Response) => void;
  /** Once: with what went wrong in words, or with undefined where all is well. */
  readonly onEnd: (words: string | undefined) => void;
}

/** What is said of what the server surely has not done. */
export const unsent = "No connection established";

/** A flag that says that a message is not compressed, and its length. */
const headLength = 5;

/** One call of gRPC: a stream of HTTP/2, on which each message goes with its length before it. */
export class GrpcCall<Request, Response> {
  readonly #stream: ClientHttp2Stream;
  readonly #method: Method<Request, Response>;
  readonly #listener: Listener<Response>;
  #received: Buffer[] = [];
  #receivedLength = 0;
  /** How much must have come before it is worth a look. */
  #awaited = headLength;
  #verdict: IncomingHttpHeaders | undefined;
  #isRead = false;
  #isOver = false;

  constructor(
    session: ClientHttp2Session,
    method: Method<Request, Response>,
    metadata: Metadata,
    listener: Listener<Response>,
  ) {
    this.#method = method;
    this.#listener = listener;
    const stream = session.request({
      ":method": "POST",
      ":path": method.path,
      "content-type": "application/grpc",
      te: "trailers",
      ...metadata,
    });
    this.#stream = stream;
    stream.on("response", (headers) => {
      if (headers[":status"] !== 200)
        this.cancel(`it speaks HTTP, but not gRPC: status ${headers[":status"]}`);
      if (headers["grpc-status"] !== undefined) this.#verdict = headers;
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => {
      this.#verdict = trailers;
      this.#endIfWhole();
    });
    stream.on("data", (bytes: Buffer) => {
      this.#receive(bytes);
    });
    stream.on("end", () => {
      this.#isRead = true;
      this.#endIfWhole();
    });
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // No connection has numbers for more than 2^30 calls.
      const isUsedUp = error.code === "ERR_HTTP2_OUT_OF_STREAMS";
      if (isUsedUp) session.close();
      const isUnsent = isUsedUp || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      this.#end(isUnsent ? `${unsent}: ${error.message}` : error.message);
    });
    stream.on("close", () => {
      this.#end("the connection was lost");
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  send(message: Request): void {
    const body = encoded(this.#method.request, message);
    const framed = Buffer.allocUnsafe(headLength + body.length);
    framed[0] = 0;
    framed.writeUInt32BE(body.length, 1);
    framed.set(body, headLength);
    this.#stream.write(framed);
  }

  /** Nothing more is sent. */
  finish(): void {
    this.#stream.end();
  }

  cancel(words = "the call was given up"): void {
    this.#end(words);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #receive(bytes: Buffer): void {
    this.#received.push(bytes);
    this.#receivedLength += bytes.length;
    // Joined only when there is a whole message: a long one comes in many pieces.
    if (this.#receivedLength < this.#awaited) return;
    let rest = this.#received.length === 1 ? bytes : Buffer.concat(this.#received);
    this.#awaited = headLength;
    while (rest.length >= headLength && !this.#isOver) {
      const end = headLength + rest.readUInt32BE(1);
      if (rest.length < end) {
        this.#awaited = end;
        break;
      }
      this.#understand(rest.subarray(headLength, end));
      rest = rest.subarray(end);
    }
    this.#received = rest.length > 0 ? [rest] : [];
    this.#receivedLength = rest.length;
  }

  #understand(message: Buffer): void {
    let response: Response;
    try {
      response = decoded(this.#method.response, message);
    } catch (error) {
      this.cancel(`an answer that makes no sense: ${String(error)}`);
      return;
    }
    this.#listener.onMessage(response);
  }

  /** The verdict may be known before the last message is read. */
  #endIfWhole(): void {
    if (this.#isRead && this.#verdict) this.#end(wordsOf(this.#verdict));
  }

  #end(words: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onEnd(words);
  }
}

/** Undefined where all is well. */
function wordsOf(verdict: IncomingHttpHeaders): string | undefined {
  const status = String(verdict["grpc-status"]);
  if (status === "0") return undefined;
  const words = verdict["grpc-message"];
  return typeof words === "string" && words !== "" ? plain(words) : `gRPC's status ${status}`;
}

function plain(words: string): string {
  try {
    return decodeURIComponent(words);
  } catch {
    return words;
  }
}
