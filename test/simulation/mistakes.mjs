// Mistakes that others have made in such recipes, or that one could make here: each is a change of one
// place in the sources, and each must be caught by the simulation.

/**
 * A change of one place in the sources.
 *
 * @typedef {object} Change
 * @property {string} name
 * @property {string} file
 * @property {string} find Occurs in the file exactly once.
 * @property {string} replace
 */

/** @typedef {Change & { workload: "locks" | "elections" | "registers" }} Mistake With what shall catch it. */

/** The text with the mistake in it. */
/** @param {Change} mistake @param {string} text */
export function mistaken({ name, file, find, replace }, text) {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new Error(
    `the mistake "${name}" is made ${parts.length - 1} times in ${file}: mend the list in mistakes.mjs`,
  );
}

/** @type {readonly Mistake[]} */
export const mistakes = [
  {
    name: "a release deletes whoever is first",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: 'const then = [{ kind: "delete", key: this.key }] as const;',
    replace: `const oldest = { prefix: this.#queue, order: "created", limit: 1 };
      const { entries } = await this.#keeper.store.read(oldest);
      const then = entries.map(({ key }) => ({ kind: "delete", key }));`,
  },
  {
    name: "a grant without looking for one's own key",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: `  }
  return undefined;
}`,
    replace: `  }
  const [ahead, second] = [entries.at(-1)?.key, entries.at(-2)?.key];
  return { created: revision + 1n, ahead, second, seen: revision };
}`,
  },
  {
    name: "a session is renewed while the main loop is frozen",
    workload: "locks",
    file: "src/store/session.ts",
    find: `    this.#renewIn(ttlMs / 3);
  }`,
    replace: `    this.#renewIn(ttlMs / 3);
    const beat = () => {
      void link.renew().catch(() => undefined);
      globalThis.anotherThread.after(ttlMs / 3, beat);
    };
    beat();
  }`,
  },
  {
    name: "validity counts from the reply",
    workload: "locks",
    file: "src/store/session.ts",
    find: "Math.max(this.#validUntil, askedAt + this.ttlMs - marginMs(this.ttlMs))",
    replace: "this.#clock.now() + this.ttlMs - marginMs(this.ttlMs)",
  },
  {
    name: "validity has no margin",
    workload: "locks",
    file: "src/store/session.ts",
    find: "return Math.min(ttlMs / 10, 500);",
    replace: "return 0 * ttlMs;",
  },
  {
    name: "the fence is a clock",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "this.token = joined.position.created;",
    replace: "this.token = BigInt(Math.floor(keeper.clock.wallNow()));",
  },
  {
    name: "the second in line is let in",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "[entries[i - 1]?.key, entries[i - 2]?.key]",
    replace: "[entries[i - 2]?.key, entries[i - 3]?.key]",
  },
  {
    name: "an unknown outcome is taken for a no",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: 'if (isLockstepError(error) && error.applied === "maybe") {',
    replace: 'if (isLockstepError(error, "lost")) {',
  },
  {
    name: "an unknown outcome is taken for a yes",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: 'snapshot: await keeper.store.read({ prefix: queue, order: "created" }), doubtful: true };',
    replace: `snapshot: await keeper.store.read({ prefix: queue, order: "created" }).then((seen) => {
          const ours = { key, created: seen.revision + 1n, modified: seen.revision + 1n };
          return { ...seen, entries: [...seen.entries.filter((one) => one.key !== key), ours] };
        }) };`,
  },
  {
    name: "who has seen the one ahead leave does not look again",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "this.#position = await this.#afterItLeft(await untilGone(watch, ahead));",
    replace:
      "await untilGone(watch, ahead);\n      this.#position = { ...this.#position, ahead: undefined };",
  },
  {
    name: "whoever is shown to be first is taken for oneself",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "if (first === this.key || isLast)",
    replace: "if (first !== undefined || isLast)",
  },
  {
    name: "the one ahead is taken for the only one",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "[entries[i - 1]?.key, entries[i - 2]?.key]",
    replace: "[entries[i - 1]?.key, undefined]",
  },
  {
    name: "a watch's resync is not news",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "if (told.snapshot.entries.length === 0) return { at: told.snapshot.revision };",
    replace: "",
  },
  {
    name: "a place is not bound to a session",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "value: ticket, session: session.id }",
    replace: "value: ticket }",
  },
  {
    name: "an expired session is not noticed",
    workload: "locks",
    file: "src/store/session.ts",
    find: 'if (this.#end === undefined && this.#clock.now() >= this.#validUntil) this.#over("lost");',
    replace: "",
  },
  {
    name: "validity is judged by the wall clock",
    workload: "locks",
    file: "src/store/session.ts",
    find: "if (this.#end === undefined && this.#clock.now() >= this.#validUntil)",
    replace: "if (this.#end === undefined && this.#clock.wallNow() >= this.#validUntil)",
  },
  {
    name: "a grant is not judged by the clock",
    workload: "locks",
    file: "src/coordination/lock-queue.ts",
    find: "if (!place.session.isValid()) throw lostError(this.#what);",
    replace: "",
  },
  {
    name: "giving up leaves the key behind",
    workload: "locks",
    file: "src/coordination/lock-queue.ts",
    find: `    this.#place = undefined;
    await place?.leave();`,
    replace: `    this.#place = undefined;
    void place?.forget();`,
  },
  {
    name: "a watch out of reach is taken for good news",
    workload: "locks",
    file: "src/coordination/queue-place.ts",
    find: "      await sleep(clock, this.session.ttlMs / 10, signal);",
    replace: "      this.#position = { ...this.#position, ahead: undefined };",
  },
  {
    name: "a retired session lives on",
    workload: "locks",
    file: "src/coordination/session-keeper.ts",
    find: "return session === this.#current ? undefined : session.end();",
    replace: "return undefined;",
  },
  {
    name: "a leader does not resign",
    workload: "elections",
    file: "src/coordination/election.ts",
    find: 'if (how === "released") await place.leave();',
    replace: 'if (how === "released") void place.forget();',
  },
  {
    name: "a term begins without a look at the clock",
    workload: "elections",
    file: "src/coordination/election.ts",
    find: "if (!place.session.isValid()) {",
    replace: "if (place.session.ttlMs === 0) {",
  },
  {
    name: "a proclamation goes over anything",
    workload: "elections",
    file: "src/coordination/election.ts",
    find: 'when: [{ kind: "modified", key: place.key, revision }],',
    replace: "when: [],",
  },
  {
    name: "a write does not look at the revision",
    workload: "registers",
    file: "src/coordination/key-value.ts",
    find: "ifRevision === undefined ? [] : [conditionOf(key, ifRevision)]",
    replace: "[]",
  },
];
