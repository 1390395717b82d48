import { connect } from "lockstep";

/** Resolves, once the lock is held, with what releases it. */
export type Acquire = () => Promise<() => Promise<unknown>>;

/** One way to have locks, which all processes that open it at the same place share. */
export interface Contender {
  /** The lock of that name. */
  readonly lock: (name: string) => Acquire;
  readonly close: () => Promise<unknown>;
}

/** What a module of contenders exports as `contenders`, by name; a place is a directory or an address. */
export type Contenders = Readonly<Record<string, (place: string) => Promise<Contender>>>;

/** Opens one of a module's contenders; its path is relative to this folder. */
export async function openContender(module: string, name: string, place: string): Promise<Contender> {
  const { contenders } = (await import(module)) as { contenders: Contenders };
  const open = contenders[name];
  if (!open) throw new Error(`${module} has no contender named ${name}`);
  return open(place);
}

/** Lockstep on the store of that address. */
export async function lockstepAt(address: string): Promise<Contender> {
  const ls = await connect(address);
  return {
    lock(name) {
      const lock = ls.lock(name);
      return async () => {
        const held = await lock.acquire();
        return () => held.release();
      };
    },
    close: () => ls.close(),
  };
}
