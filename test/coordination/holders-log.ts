import type { Client, Operation } from "lockstep/check";

/** What is held, as a lock or an election gives it. */
interface Holding {
  readonly token: bigint;
  readonly isHeld: boolean;
}

interface Tenant {
  readonly name: string;
  readonly client: Client;
  readonly held: Holding;
  readonly isAwake: () => boolean;
  /** The last moment at which it is known that it was held. */
  heldAt: number;
  isOver: boolean;
}

/** A moment at which somebody began to want something. */
export type Asked = number;

/**
 * Who was granted what, and until when it was surely theirs, as a history of a fenced mutex.
 *
 * Nobody says when a lock is lost. But it must be lost before another is granted it; so whoever has it and is
 * not known to have released it is asked then, and takes part in the history by a release that began when it
 * was last known to be held, and was over when the other was granted it. Two who hold at once so become a
 * release that began after the grant of the next: which no mutex allows.
 */
export class HoldersLog {
  readonly #operations: Operation[] = [];
  readonly #tenants = new Map<string, Set<Tenant>>();
  #moment = 0;
  #grants = 0;

  /** The history so far, in the order of the calls. */
  get operations(): readonly Operation[] {
    return this.#operations.sort((a, b) => a.invoked - b.invoked);
  }

  get grants(): number {
    return this.#grants;
  }

  ask(): Asked {
    return this.#moment++;
  }

  /** `isAwake` says whether the holder can think at all: who is frozen holds nothing, until it wakes. */
  granted<H extends Holding>(
    name: string,
    who: string,
    asked: Asked,
    held: H,
    isAwake = () => true,
  ): Tenancy<H> {
    // One client for each grant: tasks of one process may have several locks, one after the other or at once.
    const client = `${who}, grant ${++this.#grants}`;
    this.#write(name, client, "acquire", asked, held.token);
    const all = this.#tenants.get(name) ?? new Set();
    this.#tenants.set(name, all);
    for (const other of all) {
      if (other.isAwake()) this.#check(other);
      this.#end(other);
    }
    all.clear();
    const tenant = { name, client, held, isAwake, heldAt: this.#moment++, isOver: false };
    all.add(tenant);
    return {
      held,
      check: () => this.#check(tenant),
      release: async (release) => {
        this.#check(tenant);
        await release();
        this.#end(tenant);
        all.delete(tenant);
      },
    };
  }

  #check(tenant: Tenant): boolean {
    if (!tenant.held.isHeld) return false;
    tenant.heldAt = this.#moment++;
    // Its time was over, and it must not have come back: a second release tells.
    if (tenant.isOver) this.#write(tenant.name, tenant.client, "release", tenant.heldAt);
    return true;
  }

  #end(tenant: Tenant): void {
    if (tenant.isOver) return;
    tenant.isOver = true;
    this.#write(tenant.name, tenant.client, "release", tenant.heldAt);
  }

  #write(key: string, client: Client, name: string, invoked: number, result?: bigint): void {
    const returned = this.#moment++;
    this.#operations.push({ client, name, args: [key], result, outcome: "ok", invoked, returned });
  }
}

/** A hold that is written down. */
export interface Tenancy<H extends Holding> {
  readonly held: H;
  /** Whether it is held; if so, that is written down. */
  check(): boolean;
  /** Gives it up by the function given; if that does not fail, it was held till then. */
  release(release: () => Promise<void>): Promise<void>;
}
