/** A file of flows/ in force in xvifd, applied as a document, with a guest for each port that it names. Needs root. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Match } from 'node-openflow';
import { parseMatch } from 'node-openflow/text';
import { parseAllDocuments } from 'yaml';
import { packetOf } from '../../src/simulator/frame.js';
import { Child, eventually, root, sh } from './process.js';
import { TestSwitch } from './switch.js';

const frames = join(root, 'test/interop/frames.py');
const WAIT_MS = 60_000;

export interface Station {
  /** What the file's tests call its port. */
  readonly port: string;
  readonly mac: string;
  /** Of 10.0.0.N and fd00::N. */
  readonly n: number;
  /** Its frames have this tag. */
  readonly vlan?: number;
  /** A device that is no guest's, in this namespace. */
  readonly netns?: string;
}

export interface Sent {
  readonly from: string;
  readonly name: string;
  /** In the words of ovs-ofctl, without in_port. */
  readonly packet: string;
}

/** A test that a document brings along. */
export interface OwnTest extends Sent {
  readonly denied: boolean;
  /** Stations that are to get it, by their names. */
  readonly to: readonly string[];
}

interface TestWords {
  readonly name: string;
  readonly packet: string;
  readonly expect: 'drop' | { readonly output: string | number | readonly (string | number)[] };
}

const macValue = (mac: string): bigint => BigInt(`0x${mac.replaceAll(':', '')}`);

export class Shipped {
  readonly path: string;

  private constructor(
    file: string,
    readonly peer: TestSwitch,
    readonly stations: Readonly<Record<string, Station>>,
    readonly namespaces: Readonly<Record<string, string>>,
  ) {
    this.path = join(root, 'flows', file);
  }

  /** Not in force yet. */
  static async start(
    file: string,
    stations: Readonly<Record<string, Station>>,
    args: readonly string[] = [],
  ): Promise<Shipped> {
    const peer = await TestSwitch.start({ bridge: `xs${process.pid}`, args });
    try {
      const namespaces: Record<string, string> = {};
      for (const [name, { mac, n, netns }] of Object.entries(stations))
        namespaces[name] = netns ?? (await peer.namedGuest(name, n, '--mac', mac)).netns;
      return new Shipped(file, peer, stations, namespaces);
    } catch (error) {
      await peer.stop();
      throw error;
    }
  }

  apply(): Promise<string> {
    return this.peer.xvif('apply', this.path);
  }

  inside(station: string, ...command: string[]): Promise<string> {
    return sh('ip', 'netns', 'exec', this.namespaces[station]!, ...command);
  }
  child(station: string, ...command: string[]): Child {
    return new Child('ip', ['netns', 'exec', this.namespaces[station]!, ...command]);
  }

  /** With the stations that it is for: the one that has the address, where one of those has it. */
  ownTests(): OwnTest[] {
    const byPort = new Map(Object.entries(this.stations).map(([name, { port }]) => [port, name]));
    const documents = parseAllDocuments(readFileSync(this.path, 'utf8'));
    return documents.flatMap((document) => {
      const { tests = [] } = (document.toJS() as { spec: { tests?: readonly TestWords[] } }).spec;
      return tests.map(({ name, packet, expect }) => {
        const [, port] = /in_port=([^,]+)/.exec(packet)!;
        const from = byPort.get(port!);
        if (from === undefined) throw new Error(`${basename(this.path)}: nobody is at ${port}`);
        const outputs = expect === 'drop' ? [] : [expect.output].flat();
        const all = outputs.flatMap((output) => byPort.get(String(output)) ?? []);
        const [, destination] = /dl_dst=([0-9a-f:]+)/.exec(packet) ?? [];
        const known = all.filter((to) => this.stations[to]!.mac === destination);
        const words = packet.replace(/,?in_port=[^,]+/, '').replace(/^,/, '');
        return { from, name, packet: words, denied: expect === 'drop', to: known.length > 0 ? known : all };
      });
    });
  }

  #frame({ from, name, packet }: Sent): string {
    const parsed = parseMatch(packet);
    if (!parsed.ok) throw new Error(`${packet}: ${parsed.error.message}`);
    const { frame } = packetOf([...inPort, ...parsed.value], () => macValue(this.stations[from]!.mac));
    return Buffer.concat([frame, Buffer.from(`<${name}>`)]).toString('hex');
  }

  #send(from: string, sent: readonly Sent[]): Promise<string> {
    return this.inside(from, 'python3', '-B', frames, 'send', 'eth0', ...sent.map((one) => this.#frame(one)));
  }

  /** A broadcast that every file lets pass, to somebody at least. */
  #mark(from: string, name: string): Promise<string> {
    const { mac, n, vlan } = this.stations[from]!;
    const tag = vlan === undefined ? '' : `,dl_vlan=${vlan}`;
    const packet = `arp,arp_op=1,arp_sha=${mac},arp_spa=10.0.0.${n},arp_tpa=10.0.0.${n}${tag}`;
    return this.#send(from, [{ from, name, packet }]);
  }

  /**
   * Sends frames, and says who heard them, with the VLANs of their tags. What was not heard when this ends does not come
   * any more: the switch has passed on what each station sent later, and each station has heard something later.
   */
  async hearersOf(sent: readonly Sent[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = Object.keys(this.stations);
    const children = names.map((name) => [name, this.child(name, 'python3', '-B', frames, 'hear', 'eth0')] as const);
    const lines = (child: Child) => child.output.split('\n').slice(1, -1);
    const heard = (child: Child, mark: string) => lines(child).some((line) => line.startsWith(mark));
    try {
      for (const [name, child] of children)
        await eventually(`${name} listens`, async () => child.output.startsWith('ready'), WAIT_MS);
      // Whoever does not know them yet learns where they are.
      for (const from of names) await this.#mark(from, `here ${from}`);
      for (const from of names) {
        const own = sent.filter((one) => one.from === from);
        if (own.length > 0) await this.#send(from, own);
        await this.#mark(from, `sent ${from}.`);
      }
      for (const from of names) {
        const through = async () => children.some(([, child]) => heard(child, `sent ${from}.`));
        await eventually(`what ${from} sent is through`, through, WAIT_MS);
      }
      for (const from of names) await this.#mark(from, `last ${from}`);
      for (const [name, child] of children)
        await eventually(`${name} has heard all`, async () => heard(child, 'last '), WAIT_MS);
      const found = new Map<string, string[]>(sent.map(({ name }) => [name, []]));
      for (const [name, child] of children)
        for (const line of lines(child)) {
          const [text, ...vlans] = line.split('\t');
          found.get(text!)?.push([name, ...vlans].join(' '));
        }
      return found;
    } finally {
      for (const [, child] of children) await child.stop('SIGKILL');
    }
  }

  stop(): Promise<void> {
    return this.peer.stop();
  }
}

/** So that the address of the station is taken for the source. */
const inPort: Match = [{ field: 'in_port', value: Uint8Array.of(0, 0, 0, 1) }];
