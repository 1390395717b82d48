/**
 * An async iterator over what `map` makes of each item of another one: none, one or more. Unlike a generator,
 * it can be ended while somebody waits for its next item.
 */
export class MappedIterator<Source, Item> implements AsyncIterableIterator<Item, void> {
  readonly #source: AsyncIterableIterator<Source, void>;
  readonly #map: (item: Source) => readonly Item[];
  #ready: Item[] = [];

  constructor(source: AsyncIterableIterator<Source, void>, map: (item: Source) => readonly Item[]) {
    this.#source = source;
    this.#map = map;
  }

  async next(): Promise<IteratorResult<Item, void>> {
    for (;;) {
      if (this.#ready.length > 0) return { done: false, value: this.#ready.shift() as Item };
      const next = await this.#source.next();
      if (next.done) return { done: true, value: undefined };
      this.#ready.push(...this.#map(next.value));
    }
  }

  async return(): Promise<IteratorResult<Item, void>> {
    this.#ready = [];
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
