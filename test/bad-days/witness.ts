import { fencedMutex, type History, type Operation } from "lockstep/check";
import { mustBeLinearizable } from "../check/must-be-linearizable.js";
import type { Belief, Granted } from "./duties.js";

interface Tenancy extends Granted {
  readonly lock: string;
  readonly who: string;
  /** The last moment at which its holder surely believed to hold it. */
  heldAt: number;
}

/**
 * Who was granted what, and until when they surely believed in it, as told by all parties by the one clock of
 * this machine. And what the locks protect: a register that refuses every token lower than it has seen.
 */
export class Witness {
  readonly #tenancies: Tenancy[] = [];
  readonly #highest = new Map<string, bigint>();
  /** Writes that the register has refused: without a fence, each of them would have gone through. */
  refused = 0;

  granted(lock: string, who: string, granted: Granted): void {
    this.#tenancies.push({ ...granted, lock, who, heldAt: granted.askedAt });
  }

  believed(lock: string, who: string, { isHeld, at }: Belief): void {
    const tenancy = this.#tenancies.findLast((each) => each.lock === lock && each.who === who);
    if (tenancy && isHeld) tenancy.heldAt = Math.max(tenancy.heldAt, at);
  }

  /** A write to what the lock protects, with the token it was granted with; whether it was taken. */
  write(lock: string, token: bigint): boolean {
    const highest = this.#highest.get(lock) ?? 0n;
    if (token < highest) {
      this.refused += 1;
      return false;
    }
    this.#highest.set(lock, token);
    return true;
  }

  /** How often somebody was granted a lock while another, earlier one still believed to have it. */
  get overlaps(): number {
    return this.#pairs().filter(([earlier, later]) => earlier.heldAt > later.grantedAt).length;
  }

  /**
   * How often the register could not have told who is right: a later grant got no higher token. That is a
   * bug on any engine whose fence is monotonic, and never counted away.
   */
  get fencedOverlaps(): number {
    return this.#pairs().filter(
      ([earlier, later]) =>
        earlier.token === later.token || (earlier.grantedAt < later.askedAt && earlier.token > later.token),
    ).length;
  }

  /** Fails, and says why, unless what was granted is what a fenced mutex may grant. */
  mustBeMutuallyExclusive(): void {
    mustBeLinearizable(this.#history(), fencedMutex());
  }

  /** Every two grants of one lock, in their order. */
  #pairs(): [Tenancy, Tenancy][] {
    const all = [...this.#tenancies].sort((a, b) => a.grantedAt - b.grantedAt);
    return all.flatMap((earlier, index) =>
      all
        .slice(index + 1)
        .filter((later) => later.lock === earlier.lock)
        .map((later): [Tenancy, Tenancy] => [earlier, later]),
    );
  }

  /** A release is what nobody knows of: some time after it was last held. */
  #history(): History {
    const operations = this.#tenancies.flatMap((tenancy, index): Operation[] => {
      const { lock, who, token, askedAt, grantedAt, heldAt } = tenancy;
      const client = `${who}, grant ${index + 1}`;
      // Whoever has it has it until it was granted, at least; and every moment is one of its own.
      const overAt = Math.max(heldAt, grantedAt) + 1e-6;
      const common = { client, args: [lock] };
      return [
        { ...common, name: "acquire", result: token, outcome: "ok", invoked: askedAt, returned: grantedAt },
        {
          ...common,
          name: "release",
          result: undefined,
          outcome: "unknown",
          invoked: overAt,
          returned: Infinity,
        },
      ];
    });
    return { operations: operations.sort((a, b) => a.invoked - b.invoked) };
  }
}
