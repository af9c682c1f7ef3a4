/** Next hops that are asked for, and neighbours that are gone. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  ASKED_PER_PORT,
  LOOK_INTERVAL_MS,
  PARKED_PER_HOP,
  QUESTION_INTERVAL_MS,
  QUESTIONS,
  REACHABLE_MS,
} from '../../../src/router-agent/limits.js';
import type { DocumentsBed } from '../documents/bed.js';
import { bytes, changed, hex, mac, routerBed } from './bed.js';

/** UDP without checksum from red to blue. */
const toBlue4 = bytes(`${mac.router}${mac.red}0800 4500001d0007000040110000 0a00010b0a00020b 03e8829a00090000 78`);
const ask4 = `ffffffffffff${mac.router}0806000108000604 0001${mac.router}0a000201 0000000000000a00020b`.replace(
  / /g,
  '',
);
const answer4 = bytes(`${mac.router}${mac.blue}0806000108000604 0002${mac.blue}0a00020b ${mac.router}0a000201`);
const n = (text: string) => bytes(text);

describe('a next hop that is not known', () => {
  let bed: DocumentsBed;
  const sent = () => bed.switch.outputs.splice(0).map(({ port, frame }) => `${port} ${hex(frame)}`);
  const toBlue = (last: number, id = 7) =>
    changed(toBlue4, (frame) => {
      frame[33] = last;
      frame[19] = id;
    });
  beforeEach(async () => {
    bed = await routerBed();
    sent();
  }, 60_000);

  it('is asked for, and gets what waited for it', () => {
    bed.switch.inject(1, toBlue(11));
    const [question, ...rest] = sent();
    expect(question?.startsWith(`2 ${ask4}`)).toBe(true);
    expect(rest).toEqual([]);
    bed.switch.inject(2, answer4);
    const routed = changed(toBlue(11), (frame) => {
      frame.set(n(mac.blue + mac.router));
      frame[22] = 63;
    });
    expect(sent().map((one) => one.slice(0, 2 + 2 * routed.length))).toEqual([`2 ${hex(routed)}`]);
    // From now on flows know.
    bed.switch.inject(1, toBlue(11));
    expect(sent()).toHaveLength(1);
  });

  it('is asked for three times; then who sent is told, about each packet that waited', () => {
    for (let id = 1; id <= PARKED_PER_HOP + 1; id++) bed.switch.inject(1, toBlue(11, id));
    for (let second = 1; second < QUESTIONS; second++) bed.clock.advance(QUESTION_INTERVAL_MS);
    expect(sent()).toHaveLength(QUESTIONS);
    bed.clock.advance(QUESTION_INTERVAL_MS);
    const errors = sent();
    // Quoted identification: the first packet has made room for the last.
    expect(errors.map((one) => Number.parseInt(one.slice(2 + 2 * (14 + 28 + 5), 4 + 2 * (14 + 28 + 5)), 16))).toEqual([
      2, 3, 4,
    ]);
    for (const one of errors) expect(one).toMatch(/^1 .{68}0301/);
    // Anew.
    bed.switch.inject(1, toBlue(11));
    expect(sent()).toHaveLength(1);
  });

  it('is one of a bounded number, so that one port does not take all', () => {
    for (let last = 20; last < 20 + ASKED_PER_PORT + 5; last++) bed.switch.inject(1, toBlue(last));
    expect(sent()).toHaveLength(ASKED_PER_PORT);
  });

  it('is not the router, nobody and not everybody', () => {
    for (const last of [0, 255]) bed.switch.inject(1, toBlue(last));
    // A frame without an address is no routed packet.
    bed.switch.inject(
      2,
      changed(toBlue(11), (frame) => frame.fill(0, 0, 6)),
    );
    expect(sent()).toEqual([]);
  });

  it('is unreachable at once where nothing is learned', async () => {
    bed = await routerBed('  learn: false');
    sent();
    bed.switch.inject(1, toBlue(11));
    const answers = sent();
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatch(/^1 .{68}0301/);
  });
});

describe('a neighbour that was learned', () => {
  let bed: DocumentsBed;
  const sent = () => bed.switch.outputs.splice(0).map(({ port, frame }) => `${port} ${hex(frame)}`);
  const known = async () => (await bed.flows()).some((flow) => flow.includes('reg0=0xa00020b'));
  const look = async () => {
    bed.clock.advance(LOOK_INTERVAL_MS);
    await bed.settled();
  };
  const probe = `2 ${mac.blue}${mac.router}0806`;
  beforeEach(async () => {
    bed = await routerBed();
    bed.switch.inject(2, answer4);
    await look();
    bed.clock.advance(REACHABLE_MS);
    await bed.settled();
    sent();
  }, 60_000);

  it('is asked while packets are sent to it, and stays when it answers', async () => {
    bed.switch.inject(1, toBlue4Whole);
    sent();
    await look();
    expect(sent().filter((one) => one.startsWith(probe)).length).toBeGreaterThan(0);
    bed.switch.inject(2, answer4);
    bed.clock.advance(QUESTION_INTERVAL_MS * QUESTIONS);
    expect(sent()).toEqual([]);
    expect(await known()).toBe(true);
  });

  it('is forgotten when it does not', async () => {
    bed.switch.inject(1, toBlue4Whole);
    sent();
    await look();
    bed.clock.advance(QUESTION_INTERVAL_MS * QUESTIONS);
    expect(sent().filter((one) => one.startsWith(probe))).toHaveLength(QUESTIONS);
    await bed.settled();
    expect(await known()).toBe(false);
  });

  it('is left alone while nobody sends to it', async () => {
    await look();
    await look();
    expect(sent()).toEqual([]);
    expect(await known()).toBe(true);
  });
});

const toBlue4Whole = changed(toBlue4, () => {});
