/**
 * A switch with two stations x and y, and legs for instances between them, all played by one process: so it is known of each
 * frame where it was, and in which order. Needs root.
 */

import { eventually, sh } from '../../lab/process.js';
import { Wires } from '../../lab/wires.js';
import type { ChainPeer } from './peers.js';
import { Player, type Seen, type Sent } from './player.js';
import { type Station, udpFrame } from './udp-frame.js';

export const PORT = 443;
/** Of no chain. */
export const OTHER_PORT = 444;
export const stations: Readonly<Record<'x' | 'y', Station>> = {
  x: { mac: '02:00:00:00:00:0a', ipv4: '10.1.0.1' },
  y: { mac: '02:00:00:00:00:0b', ipv4: '10.1.0.2' },
};
const ends = ['x', 'y'] as const;
export type End = (typeof ends)[number];
const instanceLegs = ['a0', 'a1', 'b0', 'b1', 'c0', 'c1', 't0', 't1'] as const;
export type Leg = (typeof instanceLegs)[number];

/** Begins what stands in each frame. */
export const MARK = '<#';

/** No frame is so short that it is filled up on a wire. */
export const TEXT_BYTES = 40;
const LINK_MS = 60_000;

export interface Said {
  readonly from: End;
  /** What it is known by, once. */
  readonly id: string;
  /** x's; y's is {@link PORT}, or the other one. */
  readonly port?: number;
  readonly other?: boolean;
  /** Which of many addresses behind x it is about, below 65536; absent: x's own. */
  readonly client?: number;
}

export const frameOf = ({ from, id, port = 1024, other = false, client }: Said): Buffer => {
  const ipv4 = client === undefined ? stations.x.ipv4 : `10.2.${client >> 8}.${client & 0xff}`;
  const x: Station = { ...stations.x, ipv4 };
  const [mine, its] = from === 'x' ? [x, stations.y] : [stations.y, x];
  const service = other ? OTHER_PORT : PORT;
  const [sourcePort, destinationPort] = from === 'x' ? [port, service] : [service, port];
  return udpFrame({ from: mine, to: its, sourcePort, destinationPort, text: `${MARK}${id}>`.padEnd(TEXT_BYTES) });
};

/** By what a frame is known: it stands in it. */
export const idOf = (frame: Uint8Array): string => /<#([^>]*)>/.exec(Buffer.from(frame).toString('latin1'))![1]!;

export class ChainBed {
  private constructor(
    readonly peer: ChainPeer,
    readonly player: Player,
    readonly wires: Wires,
    /** The switch's devices, by leg. */
    readonly devices: ReadonlyMap<string, string>,
    /** The other ends. */
    readonly far: ReadonlyMap<string, string>,
  ) {}

  static async start(makePeer: (devices: ReadonlyMap<string, string>) => Promise<ChainPeer>): Promise<ChainBed> {
    const wires = new Wires();
    const [devices, far] = [new Map<string, string>(), new Map<string, string>()];
    for (const leg of [...ends, ...instanceLegs]) {
      const [near, other] = await wires.add();
      devices.set(leg, near);
      far.set(leg, other);
    }
    try {
      const peer = await makePeer(devices);
      const player = await Player.start(far);
      await player.record(Buffer.from(MARK));
      return new ChainBed(peer, player, wires, devices, far);
    } catch (error) {
      await wires.stop();
      throw error;
    }
  }

  /** A chain in the place of the one before, all instances resting, and both stations known. */
  async begin(document: string): Promise<void> {
    await this.player.rest(...instanceLegs);
    await this.peer.apply(document);
    await this.meet();
  }

  /** Where the stations are is learned. */
  async meet(): Promise<void> {
    for (const from of ends)
      await this.player.send([{ leg: from, frame: frameOf({ from, id: 'hello', other: true }) }], {
        ends: from === 'x' ? ['y'] : ['x'],
      });
    await eventually('both are known', async () => {
      const flows = await sh('ovs-ofctl', '-O', 'OpenFlow13', 'dump-flows', this.peer.target);
      return !flows.includes('learn(') || ends.every((end) => flows.includes(`dl_dst=${stations[end].mac} `));
    });
    await this.peer.inForce();
    await this.player.take();
  }

  /** Sends frames and waits for them; all legs where each was seen, in order, by its name. */
  async exchange(said: readonly Said[], each = 1, window?: number): Promise<Map<string, Seen[]>> {
    const sent: Sent[] = said.map((one) => ({ leg: one.from, frame: frameOf(one) }));
    await this.player.send(sent, { ends, each, ...(window === undefined ? {} : { window }) });
    return this.waysOf(said.map(({ id }) => id));
  }

  /** What has been seen of frames since the last time; an empty list: nothing. */
  async waysOf(ids: readonly string[]): Promise<Map<string, Seen[]>> {
    const ways = new Map<string, Seen[]>(ids.map((id) => [id, []]));
    for (const seen of await this.player.take()) ways.get(idOf(seen.frame))?.push(seen);
    return ways;
  }

  /** Nothing sent before this is on its way any more, but within instances. */
  async settle(): Promise<void> {
    const said = ends.map((from): Said => ({ from, id: 'settled', other: true }));
    await this.player.send(
      said.map((one) => ({ leg: one.from, frame: frameOf(one) })),
      { ends },
    );
  }

  /** A cable that is pulled, or put in again. */
  async link(leg: Leg, state: 'up' | 'down'): Promise<void> {
    await sh('ip', 'link', 'set', this.far.get(leg)!, state);
  }

  /** The same of several, which the switch has seen and acts upon. */
  async links(legs: readonly Leg[], state: 'up' | 'down'): Promise<void> {
    for (const leg of legs) await this.link(leg, state);
    for (const leg of legs)
      await eventually(`${leg} is ${state}`, async () => (await this.#isDown(leg)) === (state === 'down'), LINK_MS);
    await this.peer.inForce();
  }

  async #isDown(leg: Leg): Promise<boolean> {
    const shown = await sh('ovs-ofctl', '-O', 'OpenFlow13', 'show', this.peer.target);
    const [, port = ''] = shown.split(new RegExp(`^ ${this.peer.numbers.get(leg)}\\(`, 'm'));
    return /^\s+state: .*LINK_DOWN/m.test(port.split(/^ \w+\(/m)[0]!);
  }

  async stop(): Promise<void> {
    this.player.stop();
    await this.peer.stop();
    await this.wires.stop();
  }
}
