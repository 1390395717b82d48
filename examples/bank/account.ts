/** What the store keeps of an account. */
export interface Account {
  /** Whole cents: money is counted, not measured. */
  readonly cents: number;
  /** How many deposits and withdrawals made this balance. An update that is lost takes its count with it. */
  readonly updates: number;
}

export const opened: Account = { cents: 1_000_000_00, updates: 0 };

export function parse(entry: { readonly text: string } | null): Account {
  if (!entry) throw new Error("there is no such account");
  return JSON.parse(entry.text) as Account;
}

/** The account after a deposit, or after a withdrawal where `cents` is negative. */
export function paid({ cents, updates }: Account, moved: number): string {
  return JSON.stringify({ cents: cents + moved, updates: updates + 1 } satisfies Account);
}
