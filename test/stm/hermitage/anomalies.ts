// The scripts of Hermitage (https://github.com/ept/hermitage), by Martin Kleppmann, as data. Before each, row
// 1 has the value 10 and row 2 the value 20. Where an anomaly has several scripts, the first is his, and the
// others are interleavings that show it where that one cannot. Those that read for update, or only read, are
// ours, save the last.
import type { Isolation } from "lockstep/stm";

/** What came of a script. */
export interface Outcome {
  /** What those transactions saw that committed, by the names in the script: rows such as "1=10 2=20". */
  readonly saw: Readonly<Record<string, string>>;
  /** The rows in the end. */
  readonly rows: string;
}

export interface Anomaly {
  readonly name: string;
  /** The weakest level that prevents it. */
  readonly preventedFrom: Isolation;
  readonly scripts: readonly string[];
  readonly occurred: (outcome: Outcome) => boolean;
}

export const anomalies: readonly Anomaly[] = [
  {
    name: "G0: dirty write",
    preventedFrom: "read-uncommitted",
    scripts: [
      `T1 put 1 11
       T2 put 1 12
       T1 put 2 21
       T1 commit
       T2 put 2 22
       T2 commit`,
      `T1 put 1 11
       T2 put 1 12
       T2 put 2 22
       T1 put 2 21
       T1 commit
       T2 commit`,
      `T1 put 1 11
       T2 put 2 22
       T1 put 2 21
       T2 put 1 12
       T1 commit
       T2 commit`,
    ],
    occurred: ({ rows }) => rows === "1=12 2=21" || rows === "1=11 2=22",
  },
  {
    name: "G1a: aborted read",
    preventedFrom: "read-committed",
    scripts: [
      `T1 put 1 101
       T2 get 1 as dirty
       T1 abort
       T2 get 1 as clean
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["dirty"] === "1=101",
  },
  {
    name: "G1b: intermediate read",
    preventedFrom: "read-committed",
    scripts: [
      `T1 put 1 101
       T2 get 1 as early
       T1 put 1 11
       T1 commit
       T2 get 1 as late
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["early"] === "1=101",
  },
  {
    name: "G1c: circular information flow",
    preventedFrom: "read-committed",
    scripts: [
      `T1 put 1 11
       T2 put 2 22
       T1 get 2 as theirs
       T2 get 1 as ours
       T1 commit
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["theirs"] === "2=22" && saw["ours"] === "1=11",
  },
  {
    name: "OTV: observed transaction vanishes",
    preventedFrom: "read-committed",
    scripts: [
      `T1 put 1 11
       T1 put 2 19
       T2 put 1 12
       T1 commit
       T3 get 1 as first
       T3 get 2 as second
       T2 put 2 18
       T2 commit
       T3 get 2 as secondAgain
       T3 get 1 as firstAgain
       T3 commit`,
    ],
    // T2 was seen, and then what it overwrote.
    occurred: ({ saw }) => saw["first"] === "1=12" && saw["second"] === "2=19",
  },
  {
    name: "PMP: predicate-many-preceders",
    preventedFrom: "repeatable-read",
    scripts: [
      `T1 select where value = 30 as before
       T2 insert 3 30
       T2 commit
       T1 select where value % 3 = 0 as after
       T1 commit`,
    ],
    occurred: ({ saw }) => saw["before"] === "" && saw["after"] === "3=30",
  },
  {
    name: "PMP, write predicate",
    preventedFrom: "repeatable-read",
    scripts: [
      `T1 add 10
       T2 delete where value = 20 as deleted
       T1 commit
       T2 select where value = 20 as left
       T2 commit`,
      `T2 delete where value = 20 as deleted
       T1 put 1 20
       T1 commit
       T2 select where value = 20 as left
       T2 commit`,
    ],
    // All rows of that value were deleted, and there is one.
    occurred: ({ saw }) => saw["left"] === "1=20",
  },
  {
    name: "P4: lost update",
    preventedFrom: "repeatable-read",
    scripts: [
      `T1 get 1 as first
       T2 get 1 as second
       T1 put 1 11
       T2 put 1 12
       T1 commit
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["first"] === "1=10" && saw["second"] === "1=10",
  },
  {
    name: "P4, read for update",
    preventedFrom: "read-uncommitted",
    scripts: [
      `T1 get for update 1 as first
       T2 get for update 1 as second
       T1 put 1 11
       T2 put 1 12
       T1 commit
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["first"] === "1=10" && saw["second"] === "1=10",
  },
  {
    name: "G-single: read skew",
    preventedFrom: "repeatable-read",
    scripts: [
      `T1 get 1 as first
       T2 get 1 as old
       T2 get 2 as older
       T2 put 1 12
       T2 put 2 18
       T2 commit
       T1 get 2 as second
       T1 commit`,
    ],
    occurred: ({ saw }) => saw["first"] === "1=10" && saw["second"] === "2=18",
  },
  {
    name: "G-single, read-only",
    preventedFrom: "read-uncommitted",
    scripts: [
      `T1 begin read only
       T1 get 1 as first
       T2 put 1 12
       T2 put 2 18
       T2 commit
       T1 get 2 as second
       T1 commit`,
    ],
    occurred: ({ saw }) => saw["first"] === "1=10" && saw["second"] === "2=18",
  },
  {
    name: "G-single, predicates",
    preventedFrom: "repeatable-read",
    scripts: [
      `T1 select where value % 5 = 0 as fives
       T2 set 12 where value = 10
       T2 commit
       T1 select where value % 3 = 0 as threes
       T1 commit`,
    ],
    occurred: ({ saw }) => saw["fives"] === "1=10 2=20" && saw["threes"] === "1=12",
  },
  {
    name: "G-single, write predicate",
    preventedFrom: "repeatable-read",
    scripts: [
      `T1 get 1 as first
       T2 select as old
       T2 put 1 12
       T2 put 2 18
       T2 commit
       T1 delete where value = 20 as deleted
       T1 commit`,
    ],
    // Of two rows that were written together, it saw one before and the other after.
    occurred: ({ saw }) => saw["first"] === "1=10" && saw["deleted"] === "",
  },
  {
    name: "G2-item: write skew",
    preventedFrom: "serializable",
    scripts: [
      `T1 get 1 as first
       T1 get 2 as second
       T2 get 1 as third
       T2 get 2 as fourth
       T1 put 1 11
       T2 put 2 21
       T1 commit
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["second"] === "2=20" && saw["third"] === "1=10",
  },
  {
    name: "G2-item, read for update",
    preventedFrom: "read-uncommitted",
    scripts: [
      `T1 get for update 1 as first
       T1 get for update 2 as second
       T2 get for update 1 as third
       T2 get for update 2 as fourth
       T1 put 1 11
       T2 put 2 21
       T1 commit
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["second"] === "2=20" && saw["third"] === "1=10",
  },
  {
    name: "G2: anti-dependency cycle",
    preventedFrom: "serializable",
    scripts: [
      `T1 select where value % 3 = 0 as ours
       T2 select where value % 3 = 0 as theirs
       T1 insert 3 30
       T2 insert 4 42
       T1 commit
       T2 commit`,
    ],
    occurred: ({ saw }) => saw["ours"] === "" && saw["theirs"] === "",
  },
  {
    name: "G2, a read-only transaction",
    preventedFrom: "serializable",
    scripts: [
      `T1 begin
       T1 select as before
       T2 begin
       T2 add 5 where value = 20
       T2 commit
       T3 begin
       T3 select as between
       T3 commit
       T1 put 1 0
       T1 commit`,
      `T1 begin
       T1 select as before
       T2 begin
       T2 add 5 where value = 20
       T2 commit
       T3 begin read only
       T3 select as between
       T3 commit
       T1 put 1 0
       T1 commit`,
    ],
    // T1 comes before T2, which comes before T3, which comes before T1.
    occurred: ({ saw }) => saw["before"] === "1=10 2=20" && saw["between"] === "1=10 2=25",
  },
];
