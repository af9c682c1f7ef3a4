/** A guest's Xen console: commands go in, lines come out. Does not need the network under test. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { eventually, sh } from './shell.js';

interface Waiting {
  readonly mark: string;
  readonly lines: string[];
  readonly done: (last: string) => void;
  readonly failed: (error: Error) => void;
}

export class GuestConsole {
  readonly #fd: number;
  readonly #input: ReadStream;
  #rest = '';
  #waiting: Waiting | undefined;
  #ended: Error | undefined;
  /** Of lines nobody waited for, the latest; for failure reports. */
  #unread: string[] = [];

  private constructor(path: string) {
    this.#fd = openSync(path, 'r+');
    this.#input = new ReadStream(openSync(path, 'r+'));
    this.#input.setEncoding('latin1');
    this.#input.on('data', (chunk) => this.#take(chunk.toString()));
    const end = (why: string) => {
      this.#ended = new Error(`the console ended: ${why}`);
      this.#waiting?.failed(this.#ended);
    };
    this.#input.on('error', (error) => end(error.message));
    this.#input.on('close', () => end('closed'));
  }

  static async open(domid: number): Promise<GuestConsole> {
    // A domain that has just been made gets it from xenconsoled a moment later.
    const path = await eventually(
      'the console has a tty',
      async () => (await sh('xenstore-read', `/local/domain/${domid}/console/tty`)).trim() || undefined,
    );
    await sh('stty', '-F', path, 'raw', '-echo');
    return new GuestConsole(path);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const raw of lines) {
      const line = raw.replace(/\r+$/, '');
      const waiting = this.#waiting;
      if (waiting?.lines === undefined) {
        this.#unread = [...this.#unread.slice(-20), line];
      } else if (line.includes(waiting.mark)) {
        this.#waiting = undefined;
        waiting.done(line);
      } else {
        waiting.lines.push(line);
      }
    }
  }

  /** Lines up to the first with `mark`, and that one. Rejects after `seconds`. */
  async readUntil(mark: string, seconds: number): Promise<{ readonly lines: string[]; readonly last: string }> {
    if (this.#ended !== undefined) throw this.#ended;
    const lines: string[] = [];
    let late: NodeJS.Timeout | undefined;
    try {
      const last = await new Promise<string>((done, failed) => {
        this.#waiting = { mark, lines, done, failed };
        late = setTimeout(() => {
          this.#waiting = undefined;
          failed(new Error(`no answer within ${seconds} s; the console: ${lines.slice(-5).join(' | ')}`));
        }, seconds * 1000);
      });
      return { lines, last };
    } finally {
      clearTimeout(late);
    }
  }

  write(text: string): void {
    writeSync(this.#fd, text);
  }

  close(): void {
    this.#waiting?.failed(new Error('the console was closed'));
    this.#input.removeAllListeners('close');
    this.#input.destroy();
    closeSync(this.#fd);
  }
}
