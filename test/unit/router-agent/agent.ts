/** A router's agent by itself. */
import type { Action } from 'node-openflow';
import type { LocalPacketIn } from '../../../src/bridge/local-packets.js';
import type { ProgramRouter } from '../../../src/compiler/index.js';
import { AgentRates } from '../../../src/router-agent/rates.js';
import { RouterAgent } from '../../../src/router-agent/router-agent.js';
import { HandClock } from '../../lab/hand-clock.js';

const v4 = (text: string) => {
  const [a, b, c, d] = text.split('.').map(BigInt);
  return (a! << 24n) | (b! << 16n) | (c! << 8n) | d!;
};
/** Of one subnet. */
export const router: ProgramRouter = {
  document: 'router',
  firstTable: 10,
  asks: true,
  routes: [],
  subnets: [
    {
      name: 'red',
      number: 1,
      mac: '02:00:00:00:ff:01',
      mtu: 1400,
      linkLocal: { family: 6, value: (0xfe80n << 112n) | 1n },
      gateways: [
        { family: 4, value: v4('10.0.1.1'), length: 24 },
        { family: 6, value: (0xfd000001n << 96n) | 1n, length: 64 },
      ],
    },
  ],
};

/** Its agent, and what that sends. */
export class Sent {
  readonly clock = new HandClock();
  readonly frames: Uint8Array[] = [];
  readonly actions: (readonly Action[])[] = [];
  readonly agent = new RouterAgent({
    router,
    clock: this.clock,
    rates: new AgentRates(),
    packets: {
      send: (frame, actions) => {
        this.frames.push(frame);
        this.actions.push(actions);
        return undefined;
      },
    },
  });

  /** How many frames come of it. */
  hand(what: number, frame: Uint8Array, more: Partial<LocalPacketIn> = {}): number {
    const before = this.frames.length;
    const registers = new Map([[4, 1]]);
    const packet = { table: 13, cookie: 0n, registers, frameTotal: frame.length, port: 1, frame, ...more };
    this.agent.handle({ ...packet, userdata: Uint8Array.of(1, what) });
    return this.frames.length - before;
  }
}
