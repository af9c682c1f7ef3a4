import { describe, expect, it } from 'vitest';
import { controllerStatus } from '../../../src/bridge/openflow-side.js';
import type { ChannelStatus } from '../../../src/openflow/index.js';

function connection(peer: string, other: Partial<ChannelStatus> = {}): ChannelStatus {
  return {
    peer,
    management: false,
    auxiliaryId: 0,
    role: 'equal',
    version: 4,
    received: 0,
    sent: 0,
    malformed: 0,
    packetInsDropped: 0,
    ...other,
  };
}

describe('controllers of a bridge', () => {
  it('are those configured and those that came, without tools and half-open ones', () => {
    const status = controllerStatus(
      [
        { target: 'tcp:a:1', connected: true, lastError: undefined },
        { target: 'tcp:b:1', connected: false, lastError: 'refused' },
        { target: 'tcp:c:1', connected: false, lastError: undefined },
      ],
      [
        connection('tcp:a:1', { role: 'master' }),
        connection('tcp:c:1', { version: undefined }),
        connection('ptcp:6653:0.0.0.0 from 192.0.2.1:9'),
        connection('punix:/run/br0.mgmt from 1', { management: true }),
      ],
    );
    expect(status).toEqual([
      { target: 'tcp:a:1', connected: true, role: 'master', version: 4, lastError: '' },
      { target: 'tcp:b:1', connected: false, role: '', version: 0, lastError: 'refused' },
      { target: 'tcp:c:1', connected: false, role: '', version: 0, lastError: '' },
      { target: 'ptcp:6653:0.0.0.0 from 192.0.2.1:9', connected: true, role: 'equal', version: 4, lastError: '' },
    ]);
  });
});
