/** Ends the process when an input takes too long: what loops for ever cannot say so itself. */
import { Worker } from 'node:worker_threads';

const LIMIT_MS = 60_000;
const body = `
  const { workerData: { shared, limit } } = require('node:worker_threads');
  const count = new Int32Array(shared);
  let last = -1;
  setInterval(() => {
    if (count[0] === last) {
      console.error('an input takes longer than ' + limit + ' ms');
      process.kill(process.pid, 'SIGABRT');
    }
    last = count[0];
  }, limit);
`;

export class Watchdog {
  readonly #count: Int32Array;

  constructor() {
    const shared = new SharedArrayBuffer(4);
    this.#count = new Int32Array(shared);
    new Worker(body, { eval: true, workerData: { shared, limit: LIMIT_MS } }).unref();
  }

  alive(): void {
    Atomics.add(this.#count, 0, 1);
  }
}
