/** What the router answers is what a Linux router answers to the same packets (test/fixtures/router, of Linux 6.18). */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DocumentsBed } from '../documents/bed.js';
import { bytes, comparable, isWhole, routerBed } from './bed.js';

interface Exchange {
  readonly sent: string;
  /** Null: nothing. */
  readonly got: string | null;
}
const exchanges = JSON.parse(
  readFileSync(new URL('../../fixtures/router/linux-6.18.json', import.meta.url), 'utf8'),
) as Record<string, Exchange>;

describe('as Linux', () => {
  let bed: DocumentsBed;
  beforeAll(async () => {
    bed = await routerBed(
      '',
      '      mtu: 1280\n      hosts: [{port: blue/0, mac: "02:00:00:00:02:01", addresses: [10.0.2.11, "fd00:2::11"]}]',
    );
  }, 60_000);

  for (const [name, { sent, got }] of Object.entries(exchanges)) {
    it(name, () => {
      bed.switch.outputs.splice(0);
      bed.switch.inject(1, bytes(sent));
      // One that does not answer is given up, and who sent is told.
      if (name.startsWith('host')) bed.clock.advance(3000);
      else bed.clock.advance(200);
      const answers = bed.switch.outputs.filter(({ port }) => port === 1).map(({ frame }) => frame);
      if (got === null) {
        expect(answers).toEqual([]);
        return;
      }
      expect(answers).toHaveLength(1);
      const wanted = bytes(got);
      const answer = answers[0]!.subarray(0, wanted.length);
      // What is too big has been through forwarding: the TTL that is quoted is one less, and so the checksums differ.
      if (name === 'big4') {
        wanted.set([...answer.subarray(36, 38)], 36);
        wanted.set([63], 50);
        wanted.set([...answer.subarray(52, 54)], 52);
      }
      if (name === 'big6') {
        wanted.set([...answer.subarray(56, 58)], 56);
        wanted[69] = 63;
      }
      // The kernel has left the checksum to its device.
      if (name === 'syn6' || name === 'ack6') wanted.set(answer.subarray(70, 72), 70);
      expect(comparable(answer)).toBe(comparable(wanted));
      if (answer[12] === 0x08) expect(isWhole(answer.subarray(14, 34))).toBe(true);
    });
  }
});
