import type { Patience } from "../base/patience.js";

/** What a handler is told besides what was sent. */
export interface Handling {
  /**
   * Aborts when nobody waits for the reply any more, or when the actor is stopped without draining: there is
   * no use in going on.
   */
  readonly signal: AbortSignal;
}

/** Handles one kind of message; what it returns, or resolves with, is the reply. */
export type ActorHandler = (payload: never, handling: Handling) => unknown;

/**
 * What an actor does with each kind of message: any object of functions, or a class with methods only. No
 * kind is called "then": an object that has one is a promise, in the eyes of the language.
 */
export type ActorHandlers<Handlers> = {
  readonly [Kind in keyof Handlers]: Kind extends "then" ? never : ActorHandler;
};

type Payload<Given extends readonly unknown[]> = Given extends [] ? undefined : Given[0];

/** What follows the kind of a message: nothing need follow where the handler takes nothing. */
export type ActorArguments<Handler extends ActorHandler> =
  undefined extends Payload<Parameters<Handler>>
    ? [payload?: Payload<Parameters<Handler>>, patience?: Patience]
    : [payload: Payload<Parameters<Handler>>, patience?: Patience];

/** What an asker is given in the end. */
export type ActorReply<Handler extends ActorHandler> = Awaited<ReturnType<Handler>>;
