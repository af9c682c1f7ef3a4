import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Own, type Phase, type Seen } from '../../../src/xenbus/decide.js';

const own = (phase: Phase, more: Partial<Own> = {}): Own => ({
  phase,
  everConnected: false,
  closeExpired: false,
  ...more,
});
const seen = (backend: Seen['backend'], frontend: Seen['frontend'], more: Partial<Seen> = {}): Seen => ({
  backend,
  frontend,
  online: true,
  hotplugStatus: undefined,
  ours: true,
  ...more,
});
const closing = { kind: 'close', state: 5 };
const closed = { kind: 'close', state: 6 };
const rest = { kind: 'rest' };

describe('online: the backend follows the frontend', () => {
  it.each([
    // Connecting.
    ['new', 1, 'gone', rest],
    ['new', 1, 1, { kind: 'advertise' }],
    ['new', 1, 4, { kind: 'advertise' }],
    ['waiting', 2, 1, rest],
    ['waiting', 2, 2, rest],
    ['waiting', 2, 3, { kind: 'connect' }],
    ['waiting', 2, 4, { kind: 'connect' }],
    ['attached', 2, 4, { kind: 'publish' }],
    ['connected', 4, 4, { kind: 'check' }],
    // Closing, in order and out of order.
    ['connected', 4, 5, closing],
    ['closing', 5, 5, rest],
    ['closing', 5, 6, closed],
    ['connected', 4, 6, closed],
    ['attached', 2, 6, closed],
    ['waiting', 2, 5, closing],
    ['closed', 6, 6, rest],
    ['closed', 6, 5, rest],
    // And again.
    ['closed', 6, 1, { kind: 'advertise' }],
    ['closing', 5, 1, { kind: 'advertise' }],
    ['closed', 6, 4, { kind: 'advertise' }],
    ['connected', 4, 1, { kind: 'advertise' }],
    ['attached', 2, 1, { kind: 'advertise' }],
    ['closing', 5, 4, rest],
    // The directory or the domain went away.
    ['connected', 4, 'gone', closed],
    ['waiting', 2, 'gone', closed],
    ['closing', 5, 'gone', closed],
    ['closed', 6, 'gone', rest],
    ['new', 4, 'gone', closed],
    // A setting changed while connected; nothing of it towards who does not ask.
    ['connected', 4, 7, { kind: 'reconfigure' }],
    ['reconfigured', 8, 7, { kind: 'check' }],
    ['reconfigured', 8, 4, { kind: 'publish' }],
    ['reconfigured', 8, 1, { kind: 'advertise' }],
    ['reconfigured', 8, 5, closing],
    ['reconfigured', 8, 6, closed],
    ['reconfigured', 8, 'gone', closed],
    ['reconfigured', 4, 7, { kind: 'repair' }],
    ['waiting', 2, 7, rest],
    ['attached', 2, 7, rest],
    ['closing', 5, 7, rest],
    ['closed', 6, 7, rest],
    ['new', 4, 7, { kind: 'connect' }],
    ['new', 8, 7, { kind: 'connect' }],
    ['new', 8, 4, { kind: 'connect' }],
    ['new', 2, 7, rest],
    ['connected', 4, 8, rest],
    // Left by a daemon before us.
    ['new', 4, 4, { kind: 'connect' }],
    ['new', 4, 1, { kind: 'advertise' }],
    ['new', 5, 4, { kind: 'assume', phase: 'closing' }],
    ['new', 6, 1, { kind: 'assume', phase: 'closed' }],
    // The toolstack's hand.
    ['connected', 1, 1, { kind: 'restart' }],
    ['connected', undefined, 4, { kind: 'forget' }],
    ['connected', 5, 4, closing],
    ['waiting', 5, 1, closed],
    ['connected', 'invalid', 4, { kind: 'repair' }],
    ['closing', 3, 4, { kind: 'repair' }],
  ] as const)('%s, backend %s, frontend %s', (phase, backend, frontend, step) => {
    expect(decide(own(phase), seen(backend, frontend))).toEqual(step);
  });

  it('a state that is none closes the device with a complaint', () => {
    expect(decide(own('connected'), seen(4, 'invalid'))).toMatchObject({ ...closing, complaint: expect.any(String) });
    expect(decide(own('new'), seen(1, 'invalid'))).toEqual(rest);
  });

  it.each(['', 'error'])('Connected waits while hotplug-status is "%s"', (hotplugStatus) => {
    expect(decide(own('attached'), seen(2, 4, { hotplugStatus }))).toEqual(rest);
  });
});

describe('another backend’s device', () => {
  it.each([2, 3, 4, 5, 6, 7, 8] as const)('is left alone when it is found in state %i', (backend) => {
    for (const online of [true, false]) {
      expect(decide(own('new'), seen(backend, 4, { ours: false, online }))).toEqual({ kind: 'leave' });
    }
  });

  it('is nobody’s while no backend has written a state, and ours once we have', () => {
    for (const backend of [0, 1, 'invalid'] as const) {
      expect(decide(own('new'), seen(backend, 1, { ours: false }))).toEqual({ kind: 'advertise' });
    }
    expect(decide(own('connected'), seen(4, 4, { ours: false }))).toEqual({ kind: 'check' });
  });
});

describe('offline: the toolstack takes the device away', () => {
  it.each([
    ['connected', 5, 4, closing],
    ['closing', 5, 4, rest],
    ['closing', 5, 6, closed],
    ['closing', 5, 5, rest],
    ['connected', 5, 'gone', closed],
    ['closed', 6, 6, rest],
    // It does not come back, whatever the frontend writes.
    ['closed', 6, 1, rest],
    ['closed', 6, 4, rest],
    ['closed', 5, 4, { kind: 'repair' }],
  ] as const)('%s, backend %s, frontend %s', (phase, backend, frontend, step) => {
    expect(decide(own(phase, { everConnected: true }), seen(backend, frontend, { online: false }))).toEqual(step);
  });

  it('does not wait for a frontend that never connected', () => {
    for (const frontend of [1, 2, 5, 6, 'gone', 'invalid'] as const) {
      expect(decide(own('waiting'), seen(5, frontend, { online: false }))).toEqual(closed);
    }
  });

  it('does not wait for ever', () => {
    const expired = own('closing', { everConnected: true, closeExpired: true });
    expect(decide(expired, seen(5, 4, { online: false }))).toEqual(closed);
  });

  it('removes hotplug-status once closed', () => {
    expect(decide(own('closed'), seen(6, 6, { online: false, hotplugStatus: 'connected' }))).toEqual({
      kind: 'removeHotplugStatus',
    });
  });
});

describe('always', () => {
  const state = fc.integer({ min: 0, max: 8 });
  const anySeen = fc.record({
    backend: fc.oneof(state, fc.constantFrom('invalid' as const, undefined)),
    online: fc.boolean(),
    frontend: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom('invalid' as const, 'gone' as const)),
    hotplugStatus: fc.option(fc.constantFrom('', 'connected', 'error'), { nil: undefined }),
    ours: fc.boolean(),
  }) as fc.Arbitrary<Seen>;
  const anyOwn = fc.record({
    phase: fc.constantFrom<Phase>('new', 'waiting', 'attached', 'connected', 'reconfigured', 'closing', 'closed'),
    everConnected: fc.boolean(),
    closeExpired: fc.boolean(),
  });

  it('there is a step, and what is attached is never attached again', () => {
    fc.assert(
      fc.property(anyOwn, anySeen, (mine, theirs) => {
        const step = decide(mine, theirs);
        if (step.kind === 'connect') expect(['new', 'waiting']).toContain(mine.phase);
        if (step.kind === 'publish') expect(['attached', 'reconfigured']).toContain(mine.phase);
        if (step.kind === 'reconfigure') expect(theirs.frontend).toBe(7);
        if (step.kind === 'assume') expect(mine.phase).toBe('new');
        if (!theirs.online)
          expect(['advertise', 'connect', 'publish', 'check', 'reconfigure']).not.toContain(step.kind);
      }),
      { numRuns: 2000 },
    );
  });
});
