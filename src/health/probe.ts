/** What is asked of an instance, and which answer is meant: a conversation of one check after the other, without a clock. */
import type { ProgramCheck } from '../compiler/index.js';

export type Verdict = { readonly works: true } | { readonly works: false; readonly reason: string };

/** What follows from a frame: frames to send, and the end of the check, if it is that. */
export interface Next {
  readonly send: readonly Uint8Array[];
  readonly verdict?: Verdict;
  /** What is sent is a question, whose answer is waited for. */
  readonly asks?: boolean;
}

export interface Conversation {
  /** Frames that begin a check; answers to the one before count no more. */
  begin(): readonly Uint8Array[];
  /** What came from the instance; undefined: it means nothing to us. */
  take(frame: Uint8Array): Next | undefined;
  /** No answer came in time; why it is down, in a few words. */
  missed(): string;
}

/** What a check is about. */
export type Question = Pick<ProgramCheck, 'health' | 'address'>;

export const WORKS: Next = { send: [], verdict: { works: true } };

/** Numbers that an answer to an earlier check does not have: 16 bits that go up, from a place of their own. */
export class Sequence {
  #value: number;

  constructor(start = Math.floor(Math.random() * 0x1_0000)) {
    this.#value = start & 0xffff;
  }
  get value(): number {
    return this.#value;
  }
  next(): number {
    this.#value = (this.#value + 1) & 0xffff;
    return this.#value;
  }
}

/** Source ports of probes are those that systems do not give out by themselves (RFC 6335 §6). */
const FIRST_PORT = 512;
const PORTS = 512;
/** Another one each time: what is left of a connection would keep the next one from opening. */
export const probePort = (sequence: number): number => FIRST_PORT + (sequence % PORTS);
