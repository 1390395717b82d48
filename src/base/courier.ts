/**
 * Who decides when that which somebody waits for arrives. In production there is none, and it arrives at
 * once; the explorer is one, which tries out the other moments.
 */
export interface Courier {
  /** Hands on what the promise gives, later. `from` is where it comes from. */
  deliver<T>(parcel: Promise<T>, what: string | (() => string), from: object): Promise<T>;
}

/** Nobody, unless code is being explored at this very moment: this is all that it costs then. */
export let courier: Courier | undefined;

export function setCourier(next: Courier | undefined): void {
  courier = next;
}

/** What a promise gives, when the courier says; at once if there is none. */
export function delivered<T>(parcel: Promise<T>, what: string | (() => string), from: object): Promise<T> {
  return courier === undefined ? parcel : courier.deliver(parcel, what, from);
}
