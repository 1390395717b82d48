import type { Clock } from "../../base/clock.js";
import { nonce } from "../../base/nonce.js";
import { sleep } from "../../base/patience.js";
import { SeededRandom } from "../../base/random.js";
import { closedError } from "../../store/watch-feed.js";
import { CallFailure } from "./call-failure.js";
import type { Member } from "./member.js";
import type { GrpcCall, Metadata } from "./grpc-call.js";
import { protocol, type Method } from "./messages.js";

/** A call fails after so long: an election of a new leader, which takes a second or two, is waited for. */
const patienceMs = 5000;
/** Another member is asked when one did not answer for so long; not what may be done only once. */
const attemptMs = 2000;
const connectMs = 1500;
const firstPauseMs = 25;
const longestPauseMs = 1000;
/** A member that is cut off from the others says so, instead of waiting for them with us. */
const anonymous: Metadata = { hasleader: "true" };

export interface User {
  readonly username: string;
  readonly password: string;
}

export interface CallOptions {
  /** Whether it may be done twice, or more often, as if it were done once. */
  readonly isRepeatable: boolean;
  readonly withinMs?: number;
}

export interface StreamListener<Response> {
  readonly onMessage: (response: Response, fail: (words: string) => CallFailure) => void;
  readonly onEnd: (failure: CallFailure) => void;
}

/** All members of a cluster: asks the one that answered last, and the next one when it fails. */
export class Cluster {
  readonly #members: readonly Member[];
  readonly #user: User | undefined;
  readonly #clock: Clock;
  readonly #random = new SeededRandom(Number.parseInt(nonce().slice(0, 8), 16));
  readonly #closing = new AbortController();
  #current = 0;
  /** Undefined before it is needed; of an empty text where the server asks nobody for a password. */
  #token: Promise<string> | undefined;

  constructor(members: readonly Member[], user: User | undefined, clock: Clock) {
    this.#members = members;
    this.#user = user;
    this.#clock = clock;
  }

  /**
   * Asks until there is an answer. What may have arrived is not asked again, unless it is repeatable.
   *
   * *Failure*: 'unavailable' or 'unknown-outcome' after five seconds at most.
   */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { isRepeatable, withinMs = patienceMs }: CallOptions,
  ): Promise<Response> {
    const giveUpAt = this.#clock.now() + withinMs;
    for (let attempt = 0; ; attempt++) {
      const leftMs = giveUpAt - this.#clock.now();
      const member = this.#member();
      let isHarmless = true;
      try {
        const metadata = await this.#introduction(member, leftMs);
        // A frozen process may wake here: what nobody waits for any more must not be sent.
        const answerMs = Math.min(giveUpAt - this.#clock.now(), isRepeatable ? attemptMs : Infinity);
        if (answerMs <= 0) throw member.failure("No connection established in time");
        isHarmless = isRepeatable;
        return await member.ask(method, request, metadata, answerMs);
      } catch (error) {
        if (isHarmless) this.#closing.signal.throwIfAborted();
        if (!(error instanceof CallFailure)) throw error;
        this.#learnFrom(error, member);
        const isSettled = error.remedy === "give up" || (error.mayBeApplied && !isHarmless);
        const pauseMs = this.pauseMs(attempt);
        if (isSettled || this.#clock.now() + pauseMs >= giveUpAt) throw error.errorFor(isHarmless);
        await this.pause(pauseMs);
      }
    }
  }

  /** Opens a stream to a member; whoever uses it opens the next one when it ends. */
  async open<Request, Response>(
    method: Method<Request, Response>,
    { onMessage, onEnd }: StreamListener<Response>,
  ): Promise<GrpcCall<Request, Response>> {
    const member = this.#member();
    const fail = (words: string) => {
      const failure = member.failure(words);
      this.#learnFrom(failure, member);
      return failure;
    };
    try {
      return member.open(method, await this.#introduction(member, connectMs), {
        onMessage: (response) => onMessage(response, fail),
        onEnd: (words = "the stream ended") => onEnd(fail(words)),
      });
    } catch (error) {
      if (error instanceof CallFailure) this.#learnFrom(error, member);
      throw error;
    }
  }

  /** The next call logs in anew. */
  forgetToken(): void {
    this.#token = undefined;
  }

  /** How long to wait after so many failures: longer each time, and not all clients at once. */
  pauseMs(failures: number): number {
    const fullMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
    return fullMs * (0.5 + this.#random.next() / 2);
  }

  async pause(ms: number): Promise<void> {
    await sleep(this.#clock, ms, this.#closing.signal);
  }

  close(): void {
    this.#closing.abort(closedError());
    for (const member of this.#members) member.close();
  }

  #member(): Member {
    this.#closing.signal.throwIfAborted();
    return this.#members[this.#current] as Member;
  }

  /** Connects, and says who we are. */
  async #introduction(member: Member, withinMs: number): Promise<Metadata> {
    if (!member.isConnected) await member.connect(Math.min(withinMs, connectMs));
    if (!this.#user) return anonymous;
    const login = (this.#token ??= this.#logIn(this.#user, member));
    try {
      const token = await login;
      return token === "" ? anonymous : { ...anonymous, token };
    } catch (error) {
      if (this.#token === login) this.#token = undefined;
      throw error;
    }
  }

  async #logIn({ username, password }: User, member: Member): Promise<string> {
    try {
      const request = { name: username, password };
      return (await member.ask(protocol.Authenticate, request, anonymous, attemptMs)).token;
    } catch (error) {
      if (error instanceof CallFailure && /authentication is not enabled/.test(error.message)) return "";
      throw error;
    }
  }

  #learnFrom(failure: CallFailure, member: Member): void {
    if (failure.remedy === "log in") this.forgetToken();
    // Those who asked together leave together: only the first of them goes on to the next member.
    if (failure.remedy !== "ask again" || member !== this.#members[this.#current]) return;
    this.#current = (this.#current + 1) % this.#members.length;
    // A watch would notice much later that nobody speaks to it any more.
    member.endStreams();
  }
}
