/** The same chain on the reference datapath: where a frame goes, and what it looks like at each leg. */
import { compile, Diagnostics, PortList, SourceFile } from '../../../src/compiler/index.js';
import { load } from '../../../src/simulator/run-tests.js';
import { Simulator } from '../../../src/simulator/simulator.js';
import { type End, frameOf } from './bed.js';
import type { Seen } from './player.js';

/** The byte of the service index in a frame within a service header over Ethernet (RFC 8300 §2.3). */
const SERVICE_INDEX = 14 + 7;

/** Where what comes in by a leg goes out, and how. */
export interface Part {
  readonly to: string;
  readonly as: 'forward' | 'nsh';
}

export class ChainModel {
  readonly #simulator = new Simulator();
  readonly #legs: ReadonlyMap<number, string>;

  /** `numbers`: of ports, by leg. */
  constructor(
    document: string,
    readonly numbers: ReadonlyMap<string, number>,
    readonly parts: ReadonlyMap<string, Part>,
  ) {
    const diagnostics = new Diagnostics();
    const ports = new PortList([...numbers].map(([name, number]) => ({ name, number })));
    const program = compile([new SourceFile('chain.yaml', document)], ports, diagnostics);
    if (diagnostics.errors > 0) throw new Error('the document does not compile');
    load(this.#simulator, program, diagnostics);
    this.#legs = new Map([...numbers].map(([name, number]) => [number, name]));
    for (const from of ['x', 'y'] satisfies End[])
      this.#simulator.send(numbers.get(from)!, frameOf({ from, id: 'hello', other: true }));
  }

  /** Every leg where it comes out, as it is there. */
  way(leg: string, frame: Uint8Array): Seen[] {
    const seen: Seen[] = [];
    const open = [{ leg, frame }];
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      for (const output of this.#simulator.send(this.numbers.get(next.leg)!, next.frame).outputs) {
        const at = this.#legs.get(output.port) ?? String(output.port);
        const came = Buffer.from(output.frame);
        seen.push({ leg: at, frame: came });
        const part = this.parts.get(at);
        if (part === undefined) continue;
        const sent = Buffer.from(came);
        if (part.as === 'nsh') sent[SERVICE_INDEX]!--;
        open.push({ leg: part.to, frame: sent });
      }
    }
    return seen;
  }

  close(): void {
    this.#simulator.close();
  }
}
