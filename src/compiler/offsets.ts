/** Offsets of all values of a file, in the order in which they begin: one row of numbers, however many there are. */

const WIDTH = 3;
const KEY_WIDTH = 2;
/** Of lists with more entries it is remembered where each stands. */
const SHORT = 16;

/** Half open. */
export type Pair = readonly [start: number, end: number];

/**
 * Of each value its start, its end and where the entry behind it stands; of maps each entry's value comes behind start and end
 * of its key.
 */
export class Offsets {
  #numbers: Int32Array;
  #length = 0;
  readonly #longLists = new Map<number, Int32Array>();

  /** `letters` of the file: most files need no more room than is made for them. */
  constructor(letters: number) {
    this.#numbers = new Int32Array(WIDTH + (letters >> 1));
  }

  /** The entry of a value that begins here. */
  begin(start: number): number {
    const entry = this.#add(WIDTH);
    this.#numbers[entry] = start;
    return entry;
  }

  /** All that was begun since is in it. */
  end(entry: number, end: number): void {
    this.#numbers[entry + 1] = end;
    this.#numbers[entry + 2] = this.#length;
  }

  /** The value of the key comes next. */
  key(start: number, end: number): void {
    const at = this.#add(KEY_WIDTH);
    this.#numbers[at] = start;
    this.#numbers[at + 1] = end;
  }

  /** No more comes. */
  finish(): this {
    this.#numbers = this.#numbers.slice(0, this.#length);
    return this;
  }

  #add(width: number): number {
    const at = this.#length;
    this.#length += width;
    if (this.#length > this.#numbers.length) {
      const larger = new Int32Array(2 * this.#length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    return at;
  }

  of(entry: number): Pair {
    return [this.#numbers[entry]!, this.#numbers[entry + 1]!];
  }

  /** Of the value in a map which is the entry. */
  keyOf(entry: number): Pair {
    return this.of(entry - KEY_WIDTH);
  }

  /** The entry of a value in a map. */
  inMap(map: number, index: number): number {
    let entry = map + WIDTH + KEY_WIDTH;
    for (let i = 0; i < index; i++) entry = this.#numbers[entry + 2]! + KEY_WIDTH;
    return entry;
  }

  /** The entry of a value in a list of so many. */
  inList(list: number, index: number, count: number): number {
    if (count > SHORT) return this.#longList(list, count)[index]!;
    let entry = list + WIDTH;
    for (let i = 0; i < index; i++) entry = this.#numbers[entry + 2]!;
    return entry;
  }

  #longList(list: number, count: number): Int32Array {
    const known = this.#longLists.get(list);
    if (known !== undefined) return known;
    const entries = new Int32Array(count);
    let entry = list + WIDTH;
    for (let i = 0; i < count; i++) {
      entries[i] = entry;
      entry = this.#numbers[entry + 2]!;
    }
    this.#longLists.set(list, entries);
    return entries;
  }
}
