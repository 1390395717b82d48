import type { Model, PartVerdict } from "../model.js";
import { BreadthFirst } from "./breadth-first.js";
import { DepthFirst } from "./depth-first.js";
import { explainStuck } from "./explain-stuck.js";
import type { KeyPart } from "./key-parts.js";
import { Part } from "./part.js";
import { roomFor } from "./room.js";

const effortToExplain = 10_000;

/** Judges one part: two searches by turns, of which the first to know ends it. */
export class PartSearch<State> {
  readonly #model: Model<State>;
  readonly #part: Part<State>;
  readonly #depthFirst: DepthFirst<State>;
  #breadthFirst: BreadthFirst<State> | undefined;
  #isBreadthFirstsTurn = false;

  constructor({ operations }: KeyPart, model: Model<State>) {
    this.#model = model;
    this.#part = new Part(operations, model);
    this.#depthFirst = new DepthFirst(this.#part);
  }

  /** How many operations it got past. */
  get furthest(): number {
    return Math.max(this.#depthFirst.furthest, this.#breadthFirst?.furthest ?? 0);
  }

  /** How much it keeps in mind, in words of 32 bits. */
  get words(): number {
    return this.#part.transitions.words + this.#depthFirst.words + (this.#breadthFirst?.words ?? 0);
  }

  /** Goes on with about so much effort; undefined if that was not enough. */
  run(effort: number): PartVerdict | undefined {
    const isOrdered = this.#turn(effort);
    if (isOrdered === undefined) return undefined;
    if (isOrdered) return "valid";
    return explainStuck(this.#part, this.#model, this.#furthestSearch());
  }

  /** To give up early is good for the search, but people understand better what was tried to the end. */
  #furthestSearch(): DepthFirst<State> {
    this.#part.forgetOutlook();
    const patient = new DepthFirst(this.#part);
    patient.run(effortToExplain);
    return patient.furthest < this.#depthFirst.furthest ? this.#depthFirst : patient;
  }

  #turn(effort: number): boolean | undefined {
    // Half of the room is kept for the one that needs less.
    const isDeep = this.#depthFirst.words > roomFor(this.#part.timeline.operations.length) / 2;
    const isBreadthFirsts = this.#isBreadthFirstsTurn || isDeep;
    this.#isBreadthFirstsTurn = !this.#isBreadthFirstsTurn;
    if (!isBreadthFirsts) return this.#depthFirst.run(effort);
    this.#breadthFirst ??= new BreadthFirst(this.#part);
    return this.#breadthFirst.run(effort);
  }
}
