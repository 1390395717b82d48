import type { Model, PartVerdict } from "../model.js";
import { BreadthFirst } from "./breadth-first.js";
import { DepthFirst } from "./depth-first.js";
import { explainStuck } from "./explain-stuck.js";
import type { KeyPart } from "./key-parts.js";
import { Part } from "./part.js";

/** So many states and configurations are kept in mind, and no more. */
const mostStates = 2 ** 18;
const mostDepthFirst = 2 ** 20;
const mostBreadthFirst = 2 ** 22;

const stepsToExplain = 10_000;

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

  /** There is no room to go on. */
  get isFull(): boolean {
    const { transitions, timeline } = this.#part;
    const isCrowded = transitions.size > mostStates + timeline.operations.length;
    return isCrowded || (this.#breadthFirst?.size ?? 0) > mostBreadthFirst;
  }

  /** Goes on for about so many steps; undefined if that was not enough. */
  run(steps: number): PartVerdict | undefined {
    const isOrdered = this.#turn(steps);
    if (isOrdered === undefined) return undefined;
    if (isOrdered) return "valid";
    return explainStuck(this.#part, this.#model, this.#furthestSearch());
  }

  /** To give up early is good for the search, but people understand better what was tried to the end. */
  #furthestSearch(): DepthFirst<State> {
    this.#part.forgetOutlook();
    const patient = new DepthFirst(this.#part);
    patient.run(stepsToExplain);
    return patient.furthest < this.#depthFirst.furthest ? this.#depthFirst : patient;
  }

  #turn(steps: number): boolean | undefined {
    const isBreadthFirsts = this.#isBreadthFirstsTurn || this.#depthFirst.size > mostDepthFirst;
    this.#isBreadthFirstsTurn = !this.#isBreadthFirstsTurn;
    if (!isBreadthFirsts) return this.#depthFirst.run(steps);
    this.#breadthFirst ??= new BreadthFirst(this.#part);
    return this.#breadthFirst.run(steps);
  }
}
