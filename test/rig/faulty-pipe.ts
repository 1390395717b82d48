import type { Socket } from "node:net";

/**
 * 'hold': bytes wait and go on when all is well again, as behind a network that is cut, for TCP sends them
 * again. 'drop': they are lost for good.
 */
export type Fate = "pass" | "hold" | "drop";

/** What becomes of bytes, and how late they come. */
export interface Weather {
  readonly fate: Fate;
  readonly delayMs: number;
}

interface Parcel {
  /** Undefined: the end of the stream. */
  readonly bytes: Buffer | undefined;
  readonly dueAt: number;
}

/** One way of a connection, from one socket to the other; bytes may be lost or late, and never overtake. */
export class FaultyPipe {
  /** How many bytes have gone through. */
  passed = 0;
  hasLost = false;
  readonly #to: Socket;
  readonly #weather: () => Weather;
  readonly #parcels: Parcel[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, weather: () => Weather) {
    this.#to = to;
    this.#weather = weather;
    from.setNoDelay(true);
    from.on("data", (bytes) => {
      this.#take(bytes);
    });
    // Nor is it heard through a broken network that the other side is gone.
    from.on("close", () => {
      this.#take(undefined);
    });
  }

  /** To be called when the weather has changed. */
  pump(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const parcel = this.#parcels[0];
      if (parcel === undefined || this.#weather().fate !== "pass") return;
      const waitMs = parcel.dueAt - Date.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.pump();
        }, waitMs);
        return;
      }
      this.#parcels.shift();
      if (parcel.bytes === undefined) this.#to.destroySoon();
      else if (!this.#to.destroyed) this.#to.write(parcel.bytes);
      this.passed += parcel.bytes?.length ?? 0;
    }
  }

  #take(bytes: Buffer | undefined): void {
    const { fate, delayMs } = this.#weather();
    if (bytes && fate === "drop") {
      this.hasLost = true;
      return;
    }
    this.#parcels.push({ bytes, dueAt: Date.now() + delayMs });
    this.pump();
  }
}
