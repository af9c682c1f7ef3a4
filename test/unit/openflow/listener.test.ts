import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Controller, folder, start } from './bed.js';

/** A socket file as a daemon leaves it that was killed. */
function leaveSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
  expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' })).toThrow();
  expect(statSync(path).isSocket()).toBe(true);
}

describe('unix sockets', () => {
  it('are for the owner only, and gone after the stop', async () => {
    const path = join(folder(), 'br0.mgmt');
    const bed = await start({ listen: [], management: [`punix:${path}`] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(bed.channels.listening).toEqual([`punix:${path}`]);
    await (await Controller.connect(bed.address)).barrier();
    expect(bed.channels.connections).toMatchObject([{ peer: `punix:${path} from 1`, management: true }]);
    await bed.stop();
    expect(existsSync(path)).toBe(false);
  });

  it('replace one that nobody listens on any more', async () => {
    const path = join(folder(), 'br0');
    leaveSocket(path);
    const bed = await start({ listen: [`punix:${path}`] });
    await (await bed.controller()).barrier();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('respect one that is in use, and what is no socket', async () => {
    const path = join(folder(), 'br0');
    const bed = await start({ listen: [`punix:${path}`] });
    await expect(start({ listen: [`punix:${path}`] })).rejects.toThrow(
      `cannot listen on punix:${path}: another process listens there`,
    );
    await (await bed.controller()).barrier();
    const file = join(folder(), 'file');
    writeFileSync(file, 'x');
    await expect(start({ listen: [`punix:${file}`] })).rejects.toThrow('is not a socket');
    await expect(start({ listen: ['punix:/nowhere/at/all'] })).rejects.toThrow('cannot listen on punix:/nowhere');
  });
});

describe('TCP', () => {
  it('names the port that was picked, and who connects', async () => {
    const bed = await start({ listen: ['ptcp:0:127.0.0.1', 'ptcp:0:[::1]'] });
    const [first, second] = bed.channels.listening;
    expect(first).toMatch(/^ptcp:[1-9]\d+:127\.0\.0\.1$/);
    expect(second).toMatch(/^ptcp:[1-9]\d+:\[::1\]$/);
    const controller = await Controller.connect(second!.replace(/^ptcp:(\d+):(.*)$/, 'tcp:$2:$1'));
    expect(bed.channels.connections.map(({ peer }) => peer)).toEqual([
      `${second} from [::1]:${controller.socket.localPort}`,
    ]);
  });

  it('an address that is taken is told, and nothing is left of what was opened before it', async () => {
    const bed = await start();
    const path = join(folder(), 'other');
    const taken = start({ listen: [`punix:${path}`, bed.channels.listening[0]!] });
    await expect(taken).rejects.toThrow(/cannot listen on ptcp:\d+:127\.0\.0\.1: listen EADDRINUSE/);
    expect(existsSync(path)).toBe(false);
  });

  it('who connects and goes at once leaves nothing', async () => {
    const bed = await start();
    const port = Number(bed.address.split(':').at(-1));
    for (let i = 0; i < 50; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.once('connect', () => socket.resetAndDestroy());
    }
    await (await bed.controller()).barrier();
    await expect.poll(() => bed.channels.connections.length).toBe(1);
  });
});

it('a target that is wrong is told before anything is opened', async () => {
  const path = join(folder(), 'br0');
  await expect(start({ listen: [`punix:${path}`], controllers: ['tcp:'] })).rejects.toThrow('tcp:HOST');
  await expect(start({ listen: [`punix:${path}`, 'tcp:h'] })).rejects.toThrow('something to listen on');
  expect(existsSync(path)).toBe(false);
});
