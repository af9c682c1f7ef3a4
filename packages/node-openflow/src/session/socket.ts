/** What a session needs from its socket beyond reading and writing. */
import type { Duplex } from 'node:stream';

/** How long a peer may take to read our last words before the connection is cut. */
const lingerMs = 1000;

/** Resolves when the socket takes more without exceeding its high-water mark, or is closed. */
export function whenWritable(socket: Duplex): Promise<void> {
  if (!socket.writable || !socket.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** Ends the connection once the peer has read what is queued; a peer that does not read is cut off. */
export function closeGently(socket: Duplex): void {
  if (socket.destroyed) return;
  // Reading on, into nothing, lets the peer's end be seen.
  socket.resume();
  socket.end();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

/** A promise and the means to settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
