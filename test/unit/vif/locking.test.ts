/** Port security: what the toolstack's keys mean. */
import { describe, expect, it } from 'vitest';
import { lockingSettings, parseLocking, readLocking, vlanOf } from '../../../src/vif/index.js';

const keys = (mode?: string, ipv4Allowed?: string, ipv6Allowed?: string) => ({ mode, ipv4Allowed, ipv6Allowed });
const unlocked = { locking: { mode: 'unlocked' }, complaints: [] };

describe('locking mode', () => {
  it.each([undefined, '', 'unlocked', 'Unlocked', 'network_default'])('%j is unlocked', (mode) => {
    expect(parseLocking(keys(mode, '10.0.0.1'))).toEqual(unlocked);
  });

  it('disabled', () => {
    expect(parseLocking(keys('disabled'))).toEqual({ locking: { mode: 'disabled' }, complaints: [] });
  });

  it('locked to the addresses of the lists', () => {
    expect(parseLocking(keys('locked', '10.0.0.1,10.0.0.2', 'fd00::1'))).toEqual({
      locking: { mode: 'locked', ipv4: ['10.0.0.1', '10.0.0.2'], ipv6: ['fd00::1'] },
      complaints: [],
    });
    expect(parseLocking(keys('locked', '', undefined)).locking).toEqual({ mode: 'locked', ipv4: [], ipv6: [] });
    expect(parseLocking(keys('locked', ' 10.0.0.1; 10.0.0.2 ')).locking).toMatchObject({
      ipv4: ['10.0.0.1', '10.0.0.2'],
    });
  });

  it('what makes no sense closes', () => {
    const answer = parseLocking(keys('locked', '10.0.0.1,10.0.0.0/24', 'fe80::1%eth0,fd00::1'));
    expect(answer.locking).toEqual({ mode: 'locked', ipv4: ['10.0.0.1'], ipv6: ['fd00::1'] });
    expect(answer.complaints).toEqual([
      expect.stringContaining('10.0.0.0/24'),
      expect.stringContaining('fe80::1%eth0'),
    ]);
    const unknown = parseLocking(keys('open'));
    expect(unknown.locking).toEqual({ mode: 'disabled' });
    expect(unknown.complaints).toEqual([expect.stringContaining('locking-mode')]);
  });

  it('takes no more addresses than the data plane', () => {
    const many = Array.from({ length: 1100 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const { locking, complaints } = parseLocking(keys('locked', many.join(',')));
    expect(locking).toMatchObject({ ipv4: many.slice(0, 1024) });
    expect(complaints).toHaveLength(1);
  });
});

describe('where it stands', () => {
  const directory = (values: Record<string, string>) => ({ read: async (key: string) => values[key] });

  it('the first directory with a mode counts, as a whole', async () => {
    const xapi = directory({ 'locking-mode': 'locked', 'ipv4-allowed': '10.0.0.1' });
    const backend = directory({ 'locking-mode': 'unlocked', 'ipv6-allowed': 'fd00::1' });
    expect((await readLocking([xapi, backend])).locking).toEqual({ mode: 'locked', ipv4: ['10.0.0.1'], ipv6: [] });
    expect(await readLocking([directory({ 'ipv4-allowed': '10.0.0.1' }), backend])).toEqual(unlocked);
    expect(await readLocking([])).toEqual(unlocked);
  });
});

describe('settings', () => {
  const mac = '00:16:3e:00:00:01';

  it('of a locked port', () => {
    expect(lockingSettings({ mode: 'locked', ipv4: ['10.0.0.1'], ipv6: [] }, mac)).toEqual({
      sources: { mac, ipv4: ['10.0.0.1'], ipv6: [] },
    });
    expect(lockingSettings({ mode: 'unlocked' }, mac)).toEqual({});
  });

  it('a port that is disabled, or cannot be guarded for want of a MAC, passes nothing', () => {
    expect(lockingSettings({ mode: 'disabled' }, mac)).toEqual({ disabled: true });
    expect(lockingSettings({ mode: 'locked', ipv4: [], ipv6: [] }, undefined)).toEqual({ disabled: true });
  });

  it('VLANs of the bridge key: a tag makes an access port, trunks a trunk', () => {
    expect(vlanOf(undefined)).toBeUndefined();
    expect(vlanOf({ name: 'b', tag: undefined, trunks: [] })).toBeUndefined();
    expect(vlanOf({ name: 'b', tag: 7, trunks: [] })).toEqual({ tag: 7, trunks: [] });
    expect(vlanOf({ name: 'b', tag: 7, trunks: [8] })).toEqual({ tag: 7, trunks: [] });
    expect(vlanOf({ name: 'b', tag: undefined, trunks: [8, 9] })).toEqual({ tag: undefined, trunks: [8, 9] });
  });
});
