import type { Clock } from "../../../base/clock.js";
import { nonce } from "../../../base/nonce.js";
import type { Endpoint } from "../../../store/server-address.js";
import type { TlsFiles } from "./wire.js";

/** The pause after all servers were tried in vain; it doubles each time, up to the longest. */
const shortestPauseMs = 25;
const longestPauseMs = 1000;

export interface EnsembleOptions {
  readonly endpoints: readonly Endpoint[];
  readonly tls: TlsFiles | undefined;
  /** "name:password" of the digest scheme. */
  readonly credentials: string | undefined;
  readonly clock: Clock;
}

/**
 * The servers, and which of them to ask next. All connections of a client prefer the one that answered last.
 */
export class Ensemble {
  readonly tls: TlsFiles | undefined;
  readonly credentials: string | undefined;
  readonly clock: Clock;
  readonly #endpoints: readonly Endpoint[];
  #preferred: number;

  constructor({ endpoints, tls, credentials, clock }: EnsembleOptions) {
    this.tls = tls;
    this.credentials = credentials;
    this.clock = clock;
    this.#endpoints = endpoints;
    // Not every client begins with the server that is named first.
    this.#preferred = Math.floor(chance() * endpoints.length);
  }

  /** Whom to try after so many failures in a row. */
  endpoint(failures: number): Endpoint {
    return this.#endpoints[this.#indexAfter(failures)]!;
  }

  /** It answered, after so many failures in a row. */
  prefer(failures: number): void {
    this.#preferred = this.#indexAfter(failures);
  }

  /** How long to wait before the next try; at random, so that not all clients come back at once. */
  pauseMs(failures: number): number {
    const rounds = Math.floor(failures / this.#endpoints.length);
    if (failures % this.#endpoints.length !== 0) return 0;
    return Math.min(longestPauseMs, shortestPauseMs * 2 ** rounds) * (0.5 + chance() / 2);
  }

  #indexAfter(failures: number): number {
    return (this.#preferred + failures) % this.#endpoints.length;
  }
}

/** From 0 up to but not including 1. */
function chance(): number {
  return Number.parseInt(nonce().slice(0, 8), 16) / 2 ** 32;
}
