/** Time comes in by parameter, so that tests need not wait. */
export interface Clock {
  /** Milliseconds that only go forward; the origin means nothing. */
  nowMs(): number;
  /** Calls back once after `delayMs`; does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
}

export interface Timer {
  /** The callback is not called any more. May be called again and after the callback. */
  cancel(): void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves after `delayMs`. Unlike a bare timer it keeps the process alive: somebody waits for it. */
export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
