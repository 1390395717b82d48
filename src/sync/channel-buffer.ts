const leastRoom = 16;

/** Values in the order in which they came: a ring, which grows and shrinks with what is in it. */
export class ChannelBuffer<T> {
  /** Its length is a power of two, or zero as long as nothing ever was in it. */
  #slots: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: T): void {
    if (this.#size === this.#slots.length) this.#resize(Math.max(leastRoom, this.#size * 2));
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = value;
    this.#size++;
  }

  /** Takes out the one that came first. There must be one. */
  shift(): T {
    const slots = this.#slots;
    const value = slots[this.#head] as T;
    // The buffer shall not keep alive what was received.
    slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (slots.length - 1);
    this.#size--;
    // Only when mostly empty, and then to half: who puts one in and takes one out never resizes each time.
    if (this.#size < slots.length >> 3 && slots.length > leastRoom) this.#resize(slots.length >> 1);
    return value;
  }

  #resize(room: number): void {
    const slots = new Array<T | undefined>(room).fill(undefined);
    for (let index = 0; index < this.#size; index++) {
      slots[index] = this.#slots[(this.#head + index) & (this.#slots.length - 1)];
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
