import type { Batch, Resync, Revision, Store, Write } from "lockstep/store";
import { expect } from "vitest";

/** What somebody knows of a prefix who has nothing but a watch to know it by. */
export class Mirror {
  readonly state = new Map<string, Revision>();
  #seen: Revision = 0n;
  #fault: Error | undefined;

  constructor(state: Iterable<[string, Revision]> = []) {
    this.state = new Map(state);
  }

  /** Follows the watch until it ends; what goes wrong is thrown when it is asked whether it is true. */
  follow(watch: AsyncIterable<Batch | Resync>): void {
    const followed = async () => {
      for await (const news of watch) this.apply(news);
    };
    followed().catch((error: unknown) => (this.#fault = new Error("the watch failed", { cause: error })));
  }

  apply(news: Batch | Resync): void {
    if (news.kind === "resync") {
      this.state.clear();
      for (const { key, modified } of news.snapshot.entries) this.state.set(key, modified);
      this.#seen = news.snapshot.revision;
      return;
    }
    expect(news.revision, "commits are told in their order, each once").toBeGreaterThan(this.#seen);
    this.#seen = news.revision;
    for (const event of news.events) {
      if (event.kind === "put") this.state.set(event.key, event.entry.modified);
      else this.state.delete(event.key);
    }
  }

  /** Whether it knows just what is there. */
  async isTrue(store: Store, prefix: string): Promise<boolean> {
    if (this.#fault) throw this.#fault;
    const { entries } = await store.read({ prefix });
    return (
      entries.length === this.state.size &&
      entries.every(({ key, modified }) => this.state.get(key) === modified)
    );
  }
}

/** Makes so many keys under a prefix. */
export async function makeKeys(store: Store, prefix: string, count: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  for (let start = 0; start < count; start += 100) {
    const some = keys.slice(start, start + 100);
    await store.commit({ then: some.map((key) => put(key)) });
  }
}

/** So many writes to the keys of a prefix, in commits of a hundred; at the end every tenth key is gone. */
export async function writeMuch(store: Store, prefix: string, writes: number): Promise<void> {
  const keys = Array.from({ length: 100 }, (_, index) => `${prefix}${index}`);
  for (let round = 0; round < writes / keys.length; round++) {
    const value = Buffer.from(String(round));
    await store.commit({ then: keys.map((key) => put(key, value)) });
  }
  const gone = keys.filter((_, index) => index % 10 === 0);
  await store.commit({ then: gone.map((key) => ({ kind: "delete", key })) });
}

/** So many commits of one write each. */
export async function commitOften(store: Store, prefix: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    const keys = Array.from({ length: 100 }, (_, index) => `${prefix}${index}`);
    await Promise.all(keys.map((key) => store.commit({ then: [put(key)] })));
  }
}

function put(key: string, value = new Uint8Array()): Write {
  return { kind: "put", key, value };
}
