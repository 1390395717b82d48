// Mistakes that one could make in the transactions in memory: each is a change of one place in the sources,
// and each must be caught by the workloads of this folder.

/**
 * @typedef {object} Mistake
 * @property {string} name
 * @property {"histories" | "sums" | "pairs"} workload What shall catch it.
 * @property {string} mix How the transactions of that are run: see promised.ts.
 * @property {string} file
 * @property {string} find Occurs in the file exactly once.
 * @property {string} replace
 */

const optimistic = "serializable (optimistic)";
const pessimistic = "serializable (pessimistic)";
const allControls = "serializable (optimistic, pessimistic, adaptive)";

/** @type {readonly Mistake[]} */
export const mistakes = [
  {
    name: "what was read is not checked",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: 'if (checks === "reads") return this.reads.firstChangedSince(this.#began);',
    replace: "",
  },
  {
    name: "ranges that were read are not tracked",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: "this.reads.noteRows(read);",
    replace: "if (read.wants().next().value?.on !== table) this.reads.noteRows(read);",
  },
  {
    name: "what an index found is not tracked",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: "this.reads.noteRows(read);",
    replace: "if (read.wants().next().value?.on === table) this.reads.noteRows(read);",
  },
  {
    name: "of what was looked for only the rows are tracked that were found",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: "this.reads.noteRows(read);",
    replace: `for (const [key] of found) {
      const row = table.rows.byKey.get(key);
      if (row !== undefined) this.reads.note(row);
    }`,
  },
  {
    name: "a key that has no row is not tracked",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: "this.reads.noteRows(new RowsRead(table, Span.of(key)));",
    replace: "{}",
  },
  {
    name: "a row that leaves what was looked for is no change of it",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/rows-read.ts",
    find: "return this.accepts(key, before) || this.accepts(key, after);",
    replace: "return this.accepts(key, after);",
  },
  {
    name: "a row that comes to what was looked for is no change of it",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/rows-read.ts",
    find: "return this.accepts(key, before) || this.accepts(key, after);",
    replace: "return this.accepts(key, before);",
  },
  {
    name: "what is written is not checked at repeatable read",
    workload: "histories",
    mix: "repeatable-read (optimistic)",
    file: "src/stm/attempt.ts",
    find: 'return checks === "writes" ? this.#firstOverwritten() : undefined;',
    replace: "return undefined;",
  },
  {
    name: "what was read for update is not checked",
    workload: "histories",
    mix: "read-committed (optimistic)",
    file: "src/stm/attempt.ts",
    find: "for (const { read, version } of this.#guards ?? []) {",
    replace: "for (const { read, version } of []) {",
  },
  {
    name: "a moment is moved on without a look at what was read",
    workload: "pairs",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: "if (this.reads.firstChangedSince(this.#began) !== undefined) {",
    replace: "if (this.reads.size < 0) {",
  },
  {
    name: "a snapshot of a transaction is of the newest that there is",
    workload: "pairs",
    mix: "repeatable-read (optimistic)",
    file: "src/stm/attempt.ts",
    find: "return cell.at(this.#began);",
    replace: "return cell.value;",
  },
  {
    name: "a snapshot reads the newest",
    workload: "sums",
    mix: optimistic,
    file: "src/stm/snapshot.ts",
    find: "if (from instanceof Ref) return from.at(this.#pin.version);",
    replace: "if (from instanceof Ref) return from.get();",
  },
  {
    name: "an old version goes with the newest who needs it",
    workload: "histories",
    mix: "repeatable-read (optimistic)",
    file: "src/stm/versions.ts",
    find: "if (older !== undefined && older.version >= old.version) this.#give(older, old);",
    replace: "if (older === null) this.#give(older, old);",
  },
  {
    name: "what was written last before somebody looked is not kept for him",
    workload: "histories",
    mix: "repeatable-read (optimistic)",
    file: "src/stm/versions.ts",
    find: "pin.version >= cell.version",
    replace: "pin.version > cell.version",
  },
  {
    name: "a commit is published in two turns",
    workload: "pairs",
    mix: optimistic,
    file: "src/stm/draft.ts",
    find: "const news = this.tables && publishRows(this.tables, version, versions);",
    replace: `const { tables } = this;
    if (tables !== undefined) setImmediate(() => publishRows(tables, version, versions));
    const news: (() => void)[] = [];`,
  },
  {
    name: "who reads a ref does not see what it has written",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: "if (place >= 0) return this.draft.valueAt(place) as T;",
    replace: "",
  },
  {
    name: "who looks for rows does not see what it has written",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/attempt.ts",
    find: "const stored = drafts?.get(row.key) ?? this.#seen(row);",
    replace: "const stored = this.#seen(row);",
  },
  {
    name: "what a part has written stays though it threw",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/block.ts",
    find: "this.draft = savepoint.draft;",
    replace: "",
  },
  {
    name: "what a part has put stays where there was something of the table before",
    workload: "histories",
    mix: optimistic,
    file: "src/stm/draft.ts",
    find: "[table, new Map(rows)]",
    replace: "[table, rows]",
  },
  {
    name: "what is read is not locked",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/locking-block.ts",
    find: 'if (reads === "locked") return this.#lock(on, span, false);',
    replace: 'if (reads === "locked") return undefined;',
  },
  {
    name: "what is looked for is not locked",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/locking-block.ts",
    find: 'if (this.discipline.reads === "locked") await this.#lockAll(read.wants());',
    replace: "",
  },
  {
    name: "a place of an index is not locked",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/rows-read.ts",
    find: "yield { on: index, span: Span.of(value), isExclusive: false };",
    replace: "",
  },
  {
    name: "the rows that an index leads to are not locked",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/rows-read.ts",
    find: "for (const row of this.candidates()) yield { ...row.place, isExclusive: false };",
    replace: "",
  },
  {
    name: "one writes what others have locked to read it",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/locks.ts",
    find: "(this.isExclusive || other.isExclusive) &&",
    replace: "(this.isExclusive && other.isExclusive) &&",
  },
  {
    name: "locks are given back before the commit",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/call.ts",
    find: "await attempt.locked();",
    replace: `await attempt.locked();
      this.#contender?.release();
      await undefined;`,
  },
  {
    name: "who has no locks does not look at those of others",
    workload: "histories",
    mix: allControls,
    file: "src/stm/call.ts",
    find: "const mustWait = attempt.isWaiting || attempt.mustLock(this.#contender);",
    replace: "const mustWait = attempt.isWaiting;",
  },
  {
    name: "who cannot wait does not look at the locks of others",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/space.ts",
    find: "this.#refuseIfBarred(attempt);",
    replace: "",
  },
  {
    name: "who has locked what it has read does not look whether it is still so",
    workload: "histories",
    mix: "serializable (adaptive)",
    file: "src/stm/attempt.ts",
    find: `const obstacle = this.firstObstacle() ?? this.reads.firstChangedSince(this.#began);
    if (obstacle !== undefined) throw this.lose(obstacle);
    this.#began = now;`,
    replace: "this.#began = now;",
  },
  {
    name: "who waits takes other locks meanwhile",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/contender.ts",
    find: "this.#line === undefined\n        ?",
    replace: "this.#era >= 0\n        ?",
  },
  {
    name: "nobody looks for circles of waits",
    workload: "histories",
    mix: pessimistic,
    file: "src/stm/contender.ts",
    find: "circle !== undefined; circle = circleThrough(this)",
    replace: "circle === null;",
  },
];
