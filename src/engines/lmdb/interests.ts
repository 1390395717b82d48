import type { Event } from "../../store/change.js";
import type { LiveView } from "./live-view.js";
import { decodePeer, type PeerRecord } from "./records.js";

/** Who watches which prefixes, as one client last read it from the table of peers. */
export class Interests {
  /** The version of the table that was read; it is read again when it has another. */
  #version = -1;
  readonly #byPeer = new Map<string, { readonly raw: Buffer; readonly record: PeerRecord }>();

  /** The peers that watch something that these events touched. */
  among(events: readonly Event[], view: LiveView): string[] {
    if (this.#version !== view.meta.peersVersion) this.#read(view);
    const watching: string[] = [];
    for (const [id, { record }] of this.#byPeer) {
      if (record.interest.some((prefix) => events.some(({ key }) => key.startsWith(prefix)))) {
        watching.push(id);
      }
    }
    return watching;
  }

  /** The table has changed, or what was read of it may have come to nothing. */
  forget(): void {
    this.#version = -1;
  }

  #read(view: LiveView): void {
    const present = new Set<string>();
    for (const [key, raw] of view.scan("p")) {
      const id = key.slice(1);
      present.add(id);
      // Most records are as they were; those are not decoded again.
      if (this.#byPeer.get(id)?.raw.equals(raw)) continue;
      this.#byPeer.set(id, { raw, record: decodePeer(raw) });
    }
    for (const id of this.#byPeer.keys()) if (!present.has(id)) this.#byPeer.delete(id);
    this.#version = view.meta.peersVersion;
  }
}
