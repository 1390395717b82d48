import type { ActorLetter } from "./actor-letter.js";

/**
 * Letters in the order in which they were sent: first those inside, as many as there is room for, and then
 * those that wait outside. Withdrawing one from anywhere is as quick as taking the first.
 */
export class ActorMailbox {
  readonly #capacity: number;
  #first: ActorLetter | undefined;
  #last: ActorLetter | undefined;
  #firstOutside: ActorLetter | undefined;
  #inside = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many are inside. */
  get size(): number {
    return this.#inside;
  }

  /** Whether the next one would be inside at once. */
  get hasRoom(): boolean {
    return this.#inside < this.#capacity;
  }

  /** Puts one at the end. */
  add(letter: ActorLetter): void {
    letter.previous = this.#last;
    if (this.#last !== undefined) this.#last.next = letter;
    else this.#first = letter;
    this.#last = letter;
    this.#firstOutside ??= letter;
    this.#letIn();
  }

  /** Takes out the one that came first, of those that are not given up. */
  shift(): ActorLetter | undefined {
    for (let letter = this.#first; letter !== undefined; letter = this.#first) {
      this.remove(letter);
      if (letter.isGivenUp) continue;
      // Without any room inside it was outside until now.
      letter.accept();
      return letter;
    }
    return undefined;
  }

  /** Takes one out, unless it is out already, and lets in who has waited for the room. */
  remove(letter: ActorLetter): void {
    if (letter.place === "taken") return;
    if (letter.place === "inside") this.#inside--;
    this.#unlink(letter);
    this.#letIn();
  }

  /** Takes out those outside, or all, and lets nobody in. In the order in which they came. */
  clear(which: "outside" | "all"): ActorLetter[] {
    const cleared: ActorLetter[] = [];
    // From the end: who is let in is only ever one who comes after.
    for (let last = this.#last; last !== undefined; last = this.#last) {
      if (which === "outside" && last.place === "inside") break;
      this.remove(last);
      cleared.push(last);
    }
    return cleared.reverse();
  }

  #unlink(letter: ActorLetter): void {
    if (this.#firstOutside === letter) this.#firstOutside = letter.next;
    if (letter.previous !== undefined) letter.previous.next = letter.next;
    else this.#first = letter.next;
    if (letter.next !== undefined) letter.next.previous = letter.previous;
    else this.#last = letter.previous;
    letter.place = "taken";
    letter.previous = letter.next = undefined;
  }

  #letIn(): void {
    while (this.#firstOutside !== undefined && this.hasRoom) {
      const letter = this.#firstOutside;
      if (letter.isGivenUp) {
        this.#unlink(letter);
        continue;
      }
      this.#firstOutside = letter.next;
      letter.place = "inside";
      this.#inside++;
      letter.accept();
    }
  }
}
