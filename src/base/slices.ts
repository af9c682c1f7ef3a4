/** Long work in pieces, so that a daemon answers others meanwhile. */

/** Steps that each take microseconds; the result comes with the last. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** All of it now. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** A piece of this many milliseconds at a time; others have their turn between. */
const SLICE_MS = 10;

export async function inSlices<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const end = performance.now() + SLICE_MS;
    do {
      const { done, value } = steps.next();
      if (done === true) return value;
    } while (performance.now() < end);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
