// The language of the scripts. Each line is one step of one transaction:
//
//   T1 begin                                   without it, it begins before the first step of the script
//   T1 begin read only
//   T1 get 1 as seen                           what it sees is kept under that name
//   T1 get for update 1 as seen
//   T1 select where value % 3 = 0 as seen      without `where`, all rows are meant
//   T1 put 1 11                                the row is there
//   T1 insert 3 30                             it is not
//   T1 set 12 where value = 10
//   T1 add 10
//   T1 delete where value = 20 as seen         it sees what it deletes
//   T1 commit
//   T1 abort

/** A table's rows in the order of their keys, each a key and a value. */
export type Rows = readonly (readonly [key: number, value: number])[];

export interface Predicate {
  /** As the script says it, and as SQL would. */
  readonly text: string;
  readonly accepts: (value: number) => boolean;
}

/** How many numbers follow each verb. */
const verbs = {
  begin: 0,
  "begin read only": 0,
  get: 1,
  "get for update": 1,
  select: 0,
  put: 2,
  insert: 2,
  set: 1,
  add: 1,
  delete: 0,
  commit: 0,
  abort: 0,
};

export interface Step {
  /** The transaction's name. */
  readonly by: string;
  readonly verb: keyof typeof verbs;
  readonly first: number;
  readonly second: number;
  readonly where: Predicate;
  /** The name for what it sees. */
  readonly as: string | undefined;
}

/** Reads a script, and puts a `begin` before it for each transaction that has none. */
export function stepsOf(script: string): Step[] {
  const steps = script.trim().split("\n").map(stepOf);
  const begun = steps.filter(({ verb }) => verb.startsWith("begin")).map(({ by }) => by);
  const others = new Set(steps.map(({ by }) => by).filter((by) => !begun.includes(by)));
  return [...[...others].sort().map((by) => stepOf(`${by} begin`)), ...steps];
}

function stepOf(line: string): Step {
  const parts = /^(T\d) ([a-z ]+?)((?: \d+)*)(?: where (.+?))?(?: as (\w+))?$/.exec(line.trim());
  const [, by = "", verb = "", numbers = "", where = "true", as] = parts ?? [];
  const given = (numbers.match(/\d+/g) ?? []).map(Number);
  if (!isVerb(verb) || verbs[verb] !== given.length) throw new Error(`what is "${line}"?`);
  const [first = 0, second = 0] = given;
  return { by, verb, first, second, where: predicateOf(where), as };
}

function isVerb(verb: string): verb is Step["verb"] {
  return Object.hasOwn(verbs, verb);
}

function predicateOf(text: string): Predicate {
  if (text === "true") return { text, accepts: () => true };
  const parts = /^value(?: % (\d+))? = (\d+)$/.exec(text);
  if (!parts) throw new Error(`what is "where ${text}"?`);
  const [divisor, wanted] = [Number(parts[1] ?? Infinity), Number(parts[2])];
  return { text, accepts: (value) => value % divisor === wanted };
}
