import { Pace } from "./pace.js";

const settled = Promise.resolve();

/** Tasks that want to be in one section, which has room for so many of them at once. */
export class Crowd extends Pace {
  readonly #room: number;
  readonly #leastWaiting: number;
  #asked = 0;
  #inside = 0;
  /** Whether one stays inside for a moment; without anybody who waits there is no need for it. */
  readonly stays: boolean;

  constructor(room: number, waiters: number) {
    super();
    this.#room = room;
    // One whose section is over may be on its way to ask again.
    this.#leastWaiting = waiters * 0.9;
    this.stays = waiters > 0;
  }

  override goesOn(): boolean {
    this.#asked++;
    return super.goesOn();
  }

  /** To be called, and awaited, where the lock is held: proves that it is one, and that the others wait. */
  inside(): Promise<void> {
    this.#asked--;
    if (++this.#inside > this.#room) throw new Error(`${this.#inside} are inside at once`);
    if (this.isMeasured && this.#asked < this.#leastWaiting) throw new Error(`only ${this.#asked} wait`);
    return settled;
  }

  leave(): void {
    this.#inside--;
  }

  /** The same, for those who are given what to do inside. */
  readonly section = async (): Promise<void> => {
    if (!this.stays) return;
    await this.inside();
    this.leave();
  };
}

/** How often a second a section is entered that has room for so many, while so many others wait for it. */
export async function crowded(
  room: number,
  waiters: number,
  task: (crowd: Crowd) => Promise<unknown>,
): Promise<number> {
  const crowd = new Crowd(room, waiters);
  const tasks = Array.from({ length: waiters > 0 ? room + waiters : 1 }, () => task(crowd));
  crowd.begin();
  await Promise.all(tasks);
  return crowd.perSecond;
}
