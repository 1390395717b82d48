import { LockstepError } from "../../base/errors.js";
import { shown } from "../../base/shown.js";
import { describe, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import { refused, type Model } from "../model.js";

/** What `step` gives for a state in which the operation is not possible. */
export const impossible = -1;

const leastRoom = 64;
/** Where it would need more, it begins anew: the model can be asked again. */
const mostRoom = 2 ** 22;

/** So many words of 32 bits a state takes at least, and so many for each character of what tells it. */
const wordsOfState = 32;
const wordsOfCharacter = 2;

/** To ask the model is so much more work than to look up what it said; more where the state is large. */
const effortToAsk = 4;
const charactersAtOnce = 32;

/**
 * The model in integers: states are numbered as they are met, from 0, the first one; and which state comes
 * after which operation is remembered, and asked of the model again only where that is too much to remember.
 */
export class Transitions<State> {
  readonly #model: Model<State>;
  readonly #operations: readonly Operation[];
  readonly #states: State[] = [];
  readonly #numbers = new Map<Identity, number>();
  /** Operations of one kind do the same to every state. */
  readonly kinds: Int32Array;
  /** A hash table of (state, kind, state after), with `unset` for the first where there is nothing. */
  #table = emptyTable(leastRoom);
  #room = leastRoom;
  #size = 0;
  #asked = 0;
  /** Of each state, how much effort it is to ask what comes after it. */
  readonly #efforts: number[] = [];
  #stateWords = 0;
  /**
   * How much was done so far: what a look-up takes is one. Those who work with it add what they do beside, so
   * that between two looks at the clock there is never much of it.
   */
  effort = 0;

  constructor(model: Model<State>, operations: readonly Operation[]) {
    this.#model = model;
    this.#operations = operations;
    this.kinds = kindsOf(model, operations);
    this.numberOf(model.init);
  }

  /** The state after the operation, or `impossible`. */
  step(state: number, operation: number): number {
    this.effort++;
    const kind = this.kinds[operation]!;
    const last = this.#room - 1;
    for (let place = scattered(state, kind) & last; ; place = (place + 1) & last) {
      const at = place * 3;
      const there = this.#table[at]!;
      if (there === unset) return this.#ask(state, kind, operation);
      if (there === state && this.#table[at + 1] === kind) return this.#table[at + 2]!;
    }
  }

  /** How much it keeps in mind, in words of 32 bits; of states only roughly. */
  get words(): number {
    return this.#stateWords + this.#table.length;
  }

  state(number: number): State {
    return this.#states[number]!;
  }

  /** The same for states that are the same. */
  numberOf(state: State): number {
    const model = this.#model;
    if (model.equal) {
      this.effort += this.#states.length;
      const known = this.#states.findIndex((each) => model.equal!(each, state));
      return known >= 0 ? known : this.#add(state, contentsOf(state));
    }
    const key = model.stateIdentity ? model.stateIdentity(state) : identity(state);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#add(state, key);
      this.#numbers.set(key, number);
    }
    return number;
  }

  #add(state: State, key: Identity | undefined): number {
    const length = typeof key === "string" ? key.length : 0;
    this.#efforts.push(effortToAsk + Math.floor(length / charactersAtOnce));
    this.#stateWords += wordsOfState + wordsOfCharacter * length;
    return this.#states.push(state) - 1;
  }

  #ask(state: number, kind: number, operation: number): number {
    const after = this.#stepFrom(this.#states[state]!, this.#operations[operation]!);
    const number = after === refused ? impossible : this.numberOf(after);
    this.effort += this.#efforts[state]!;
    if (++this.#size > this.#room / 2) this.#grow();
    this.#put(state, kind, number);
    return number;
  }

  /** Asks the model, and looks now and then whether it leaves the state as it was. */
  #stepFrom(state: State, operation: Operation): State | typeof refused {
    const isLookedAt = this.#asked < firstLookedAt || this.#asked % usuallyLookedAt === 0;
    this.#asked++;
    const before = isLookedAt ? contentsOf(state) : undefined;
    const after = this.#model.step(state, operation);
    // All such states would be the same one, and so every answer possible.
    if (after instanceof Promise || (after === undefined && this.#model.init !== undefined)) {
      throw new LockstepError(
        "bad-input",
        `the step of ${this.#model.name} gave ${shown(after)} at ${describe(operation)}: ` +
          `it must give the state after the operation, or refused, and at once`,
      );
    }
    if (before === undefined || before === contentsOf(state)) return after;
    throw new LockstepError(
      "bad-input",
      `the step of ${this.#model.name} changed the state that it was given, at ${describe(operation)}: ` +
        `it must leave that as it is and give another one, as [...state, value] does`,
    );
  }

  #put(state: number, kind: number, after: number): void {
    const last = this.#room - 1;
    let place = scattered(state, kind) & last;
    while (this.#table[place * 3] !== unset) place = (place + 1) & last;
    this.#table[place * 3] = state;
    this.#table[place * 3 + 1] = kind;
    this.#table[place * 3 + 2] = after;
  }

  #grow(): void {
    if (this.#room === mostRoom) {
      this.#table.fill(unset);
      this.#size = 1;
      return;
    }
    const old = this.#table;
    this.#room *= 4;
    this.#table = emptyTable(this.#room);
    for (let at = 0; at < old.length; at += 3) {
      if (old[at] !== unset) this.#put(old[at]!, old[at + 1]!, old[at + 2]!);
    }
  }
}

const unset = -1;

/** So many steps, and after that one of so many, are looked at: to look at a large state takes long. */
const firstLookedAt = 100;
const usuallyLookedAt = 64;

/** Undefined if it has none that could be changed, or that can be told: it goes in a circle, say. */
function contentsOf(state: unknown): Identity | undefined {
  if (typeof state !== "object" || state === null) return undefined;
  try {
    return identity(state);
  } catch {
    return undefined;
  }
}

function emptyTable(room: number): Int32Array {
  return new Int32Array(room * 3).fill(unset);
}

function scattered(state: number, kind: number): number {
  const mixed = Math.imul(state, 0x9e3779b1) ^ Math.imul(kind, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

function kindsOf<State>(model: Model<State>, operations: readonly Operation[]): Int32Array {
  const kinds = new Int32Array(operations.length);
  const numbers = new Map<Identity, number>();
  operations.forEach((operation, index) => {
    const key = model.callIdentity ? model.callIdentity(operation) : index;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = numbers.size));
    kinds[index] = number;
  });
  return kinds;
}
