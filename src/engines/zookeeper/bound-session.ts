import type { Clock } from "../../base/clock.js";
import { isLockstepError } from "../../base/errors.js";
import { KeptSession, type Session } from "../../store/session.js";
import type { SessionOptions } from "../../store/store.js";
import type { Ensemble } from "./client/ensemble.js";
import { anyVersion, fault, multiFault, multiRequest, operation, ServerFault } from "./client/protocol.js";
import type { Access, NodeWrite } from "./client/protocol.js";
import { ServerSession } from "./client/server-session.js";
import { awayError, type Wire } from "./client/wire.js";
import type { Layout } from "./layout.js";
import { sessionName } from "./node-data.js";
import { sessionData } from "./snapshots.js";

/**
 * By so much the server's time to live is longer than ours.
 *
 * The server that a client is connected to answers it by itself, and tells the leader, who alone decides that
 * a session has expired, at every half tick. So a mere ping proves nothing: a server that is cut off from its
 * leader goes on answering for a while, as does a leader that is cut off from the others. Hence a session is
 * renewed by a write, which is acknowledged by a quorum. At that time the leader was there, and had heard of
 * this session at the latest half a tick before. Sessions of ZooKeeper have two ticks at least, and half of
 * our time to live, a third of theirs, is more than half a tick.
 */
export const serverTtlFactor = 1.5;

/**
 * A session of the store: a session of ZooKeeper, and a connection of its own. Its keys are its ephemeral
 * nodes.
 */
export class BoundSession {
  readonly link: ServerSession;
  /** Resolves when it is over, and its keys have gone or will not outlive this. */
  readonly gone: Promise<void>;
  readonly #layout: Layout;
  readonly #access: Access;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #kept: KeptSession | undefined;
  /** The reading of the clock before the last renewal was sent that the server acknowledged. */
  #renewedAt = 0;
  #tellGone!: () => void;

  private constructor(ensemble: Ensemble, layout: Layout, access: Access, options: SessionOptions) {
    this.#layout = layout;
    this.#access = access;
    this.#clock = ensemble.clock;
    this.#ttlMs = options.ttlMs;
    this.gone = new Promise((resolve) => (this.#tellGone = resolve));
    this.link = new ServerSession(ensemble, {
      timeoutMs: Math.ceil(options.ttlMs * serverTtlFactor),
      isKept: true,
      onExpired: () => {
        this.#kept?.lose();
        this.#tellGone();
      },
    });
  }

  static async open(
    ensemble: Ensemble,
    layout: Layout,
    access: Access,
    options: SessionOptions,
  ): Promise<{ bound: BoundSession; session: Session }> {
    const bound = new BoundSession(ensemble, layout, access, options);
    try {
      return { bound, session: await bound.#open(options.label ?? "") };
    } catch (error) {
      // It has no keys, so nobody waits for its end.
      void bound.link.close();
      throw error;
    }
  }

  get isValid(): boolean {
    return this.#kept?.isValid() ?? false;
  }

  async #open(label: string): Promise<Session> {
    const wire = await this.link.ready();
    this.#renewedAt = wire.askedAt;
    const id = sessionName(wire.sessionId);
    // A server may grant less than was asked for.
    const ttlMs = Math.min(this.#ttlMs, Math.floor(wire.timeoutMs / serverTtlFactor));
    const path = this.#layout.sessionAt(id);
    const data = sessionData(label, ttlMs);
    const code = await this.#send(wire, { kind: "create", path, data, mode: "ephemeral" });
    if (code !== undefined) throw new ServerFault(code);
    const check: NodeWrite = { kind: "check", path, version: anyVersion };
    const link = { renew: () => this.#renew(check, ttlMs), end: () => this.#end(ttlMs) };
    const session = new KeptSession(id, ttlMs, wire.askedAt, link, this.#clock);
    this.#kept = session;
    session.onEnd((reason) => {
      // What was lost by our clock may live on at the server; its keys need not wait for that.
      if (reason === "lost") this.#end(ttlMs).catch(ignore);
    });
    return session;
  }

  async #renew(check: NodeWrite, ttlMs: number): Promise<boolean> {
    try {
      const wire = await this.link.ready();
      const askedAt = this.#clock.now();
      if ((await this.#send(wire, check)) !== undefined) return false;
      const sinceMs = askedAt - this.#renewedAt;
      this.#renewedAt = askedAt;
      // What the leader had heard of may have been the renewal before this one. If that is long ago, this one
      // does not count; the next, which KeptSession sends soon, will.
      if (sinceMs > ttlMs * (serverTtlFactor - 1))
        throw awayError(new Error("the last renewal was long ago"));
      return true;
    } catch (error) {
      if (isLockstepError(error, "lost") || isExpired(error)) return false;
      throw error;
    }
  }

  async #end(ttlMs: number): Promise<void> {
    try {
      await this.link.end();
    } catch (error) {
      this.link.abandon();
      if (!isLockstepError(error, "lost") && !isExpired(error)) {
        // Our time to live is waited for by whoever called; theirs is longer.
        await new Promise<void>((resolve) => this.#clock.after(ttlMs * (serverTtlFactor - 1), resolve));
        throw error;
      }
    } finally {
      this.#tellGone();
    }
  }

  /** The code of the fault, if there was one. */
  async #send(wire: Wire, write: NodeWrite): Promise<number | undefined> {
    // What of this session is made or not when the reply is lost, goes with it.
    const { body } = await wire.request("read", operation.multi, multiRequest([write], this.#access));
    return multiFault(body)?.code;
  }
}

function isExpired(error: unknown): boolean {
  return error instanceof ServerFault && error.code === fault.sessionExpired;
}

function ignore(): void {
  // It expires by itself.
}
