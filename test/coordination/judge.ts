import type { Election, Held, Lock, Lockstep } from "lockstep";
import { casRegister, fencedMutex } from "lockstep/check";
import { onTestFinished } from "vitest";
import { mustBeLinearizable } from "../check/must-be-linearizable.js";
import { HoldersLog } from "./holders-log.js";
import { RevisionsLog } from "./revisions-log.js";

/**
 * Writes down what clients of one store do, and judges it when the running test is over: locks and elections
 * as fenced mutexes, the keys of the key-value store as registers.
 */
export class Judge {
  readonly #holders = new HoldersLog();
  readonly #revisions = new RevisionsLog();
  /** What was granted is written down once, though one method may call another. */
  readonly #seen = new WeakSet<Held>();
  #clients = 0;

  constructor() {
    onTestFinished(() => {
      mustBeLinearizable({ operations: this.#holders.operations }, fencedMutex());
      mustBeLinearizable({ operations: this.#revisions.operations }, casRegister());
    });
  }

  /** From now on what this client does is written down. */
  follow(client: Lockstep): Lockstep {
    const id = `client ${++this.#clients}`;
    const { lock, election } = client;
    client.lock = (name) => this.#followLock(lock.call(client, name), id);
    client.election = (name) => this.#followElection(election.call(client, name), id);
    this.#revisions.follow(client.kv, id);
    return client;
  }

  /** A client that cannot be looked into was granted the lock; how long it had it, nobody knows. */
  heardOfGrant(lock: string, token: bigint): void {
    const id = `client ${++this.#clients}`;
    this.#holders.granted(`lock ${lock}`, id, this.#holders.ask(), { token, isHeld: false });
  }

  #followLock(lock: Lock, client: string): Lock {
    const { acquire, tryAcquire } = lock;
    const name = `lock ${lock.name}`;
    lock.acquire = (patience) => this.#followGrant(name, client, acquire.call(lock, patience));
    lock.tryAcquire = () => this.#followGrant(name, client, tryAcquire.call(lock));
    return lock;
  }

  #followElection(election: Election, client: string): Election {
    const { campaign } = election;
    election.campaign = (options) => {
      const terms = campaign.call(election, options);
      const { next } = terms;
      terms.next = () => {
        const won = next.call(terms);
        void this.#followGrant(
          `election ${election.name}`,
          client,
          won.then(({ value }) => value),
        ).catch(ignore);
        return won;
      };
      return terms;
    };
    return election;
  }

  #followGrant<H extends Held | null>(name: string, client: string, granted: Promise<H>): Promise<H> {
    const asked = this.#holders.ask();
    granted.then((held) => {
      if (held === null || this.#seen.has(held)) return;
      this.#seen.add(held);
      this.#holders.granted(name, client, asked, held);
    }, ignore);
    return granted;
  }
}

function ignore(): void {
  // Whoever asked hears of it.
}
