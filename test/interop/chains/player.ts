/** The process that plays the instances of chains and those who talk through them: see player.py. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../lab/process.js';

const program = join(root, 'test/interop/chains/player.py');

/** A frame that came to a leg, with the tag it had on the wire. */
export interface Seen {
  readonly leg: string;
  readonly frame: Buffer;
}

/** A frame that is sent into the switch by a leg. */
export interface Sent {
  readonly leg: string;
  readonly frame: Uint8Array;
}

export interface SendOptions {
  /** Legs where frames are to come out. */
  readonly ends: readonly string[];
  /** So many of each frame. */
  readonly each?: number;
  /** Frames that are on their way at once. */
  readonly window?: number;
}

const WINDOW = 32;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export class Player {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';
  /** Commands are answered one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(legs: ReadonlyMap<string, string>) {
    const args = [...legs].map(([leg, device]) => `${leg}=${device}`);
    const child = spawn('python3', [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stderr.on('data', (chunk) => {
      this.#errors += chunk;
    });
    this.#process = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** `legs`: devices by the names of legs. */
  static async start(legs: ReadonlyMap<string, string>): Promise<Player> {
    const self = new Player(legs);
    await self.#answer();
    return self;
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the player ended: ${this.#errors}`);
    return JSON.parse(value);
  }

  #ask(command: object): Promise<unknown> {
    const answered = this.#last.then(() => {
      this.#process.stdin!.write(`${JSON.stringify(command)}\n`);
      return this.#answer();
    });
    this.#last = answered.catch(() => undefined);
    return answered;
  }

  /** What comes in by one leg goes out by the other, and the other way round. */
  async forward(leg: string, to: string, as: 'forward' | 'nsh' = 'forward'): Promise<void> {
    await this.#ask({ do: 'play', leg, to, as });
    if (to !== leg) await this.#ask({ do: 'play', leg: to, to: leg, as });
  }
  /** What comes in by them goes nowhere. */
  async rest(...legs: readonly string[]): Promise<void> {
    await this.#ask({ do: 'rest', legs });
  }
  /** Frames with any of these bytes are remembered. */
  async record(...marks: readonly Uint8Array[]): Promise<void> {
    await this.#ask({ do: 'record', marks: marks.map(hex) });
  }
  /** What was remembered since the last time, in the order in which it came. */
  async take(): Promise<Seen[]> {
    const seen = (await this.#ask({ do: 'take' })) as [string, string][];
    return seen.map(([leg, frame]) => ({ leg, frame: Buffer.from(frame, 'hex') }));
  }
  /** How many frames, of whomever, have come to the ends: all, or as many as came before nothing moved any more. */
  async send(sent: readonly Sent[], { ends, each = 1, window = WINDOW }: SendOptions): Promise<number> {
    const frames = sent.map(({ leg, frame }) => [leg, hex(frame)]);
    return (await this.#ask({ do: 'send', frames, ends, each, window })) as number;
  }
  /** Sends a frame again and again, with a number in its last four bytes, 0 at first. */
  async stream({ leg, frame }: Sent, pauseMs: number): Promise<void> {
    await this.#ask({ do: 'stream', frame: [leg, hex(frame)], pause: pauseMs / 1000 });
  }
  /** How many were sent. */
  async halt(): Promise<number> {
    return (await this.#ask({ do: 'halt' })) as number;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}
