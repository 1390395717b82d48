import { availableParallelism } from "node:os";
import { loadPeer } from "../peers.js";

/** What the benches use of the peer. */
interface Multithreading {
  readonly Mutex: new (
    data: undefined,
    memory: SharedArrayBuffer,
  ) => {
    readonly blockingLock: () => { readonly dispose: () => void };
  };
}

/** It asks for a `navigator` as it is loaded, which Node has from version 21. */
export async function loadMultithreading(): Promise<Multithreading> {
  if (!("navigator" in globalThis)) {
    Object.assign(globalThis, { navigator: { hardwareConcurrency: availableParallelism() } });
  }
  return loadPeer<Multithreading>("multithreading");
}
