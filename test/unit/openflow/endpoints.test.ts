/** Versions of OpenFlow that are spoken with some controllers and not with others. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Session, supportedVersions } from 'node-openflow';
import { afterEach, describe, expect, it } from 'vitest';
import { parseActive } from '../../../src/openflow/index.js';
import { folder, start, until } from './bed.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** What a peer that speaks `versions` agrees on; a sentence where it is nothing. */
async function agreed(socket: Socket, versions = supportedVersions): Promise<number | string> {
  const session = new Session(socket, { versions });
  try {
    await session.ready;
    return session.version!;
  } catch (error) {
    return (error as Error).message;
  } finally {
    socket.destroy();
  }
}

/** The same with the other end of what was `listening`: `ptcp:PORT:HOST` or `punix:PATH`. */
function speak(listening: string, versions?: readonly number[]): Promise<number | string> {
  const active = parseActive(listening.replace(/^ptcp:(\d+):(.*)$/, 'tcp:$2:$1').replace(/^punix/, 'unix'));
  return agreed(active.kind === 'unix' ? connect(active.path) : connect(active.port, active.host), versions);
}

/** Something to dial, and what was agreed on there with all that came. */
async function host(): Promise<{ target: string; spoken: (number | string)[] }> {
  const spoken: (number | string)[] = [];
  const server = createServer((socket) => void agreed(socket).then((version) => spoken.push(version)));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return { target: `tcp:127.0.0.1:${(server.address() as { port: number }).port}`, spoken };
}

describe('versions of one endpoint', () => {
  it('each socket that is listened on has its own; tools have all', async () => {
    const path = join(folder(), 'br0.mgmt');
    const old = { target: 'ptcp:0:127.0.0.1', versions: [1, 2] };
    const bed = await start({ listen: [old, 'ptcp:0:127.0.0.1'], management: [`punix:${path}`], versions: [4, 5] });
    const [restricted, usual, management] = bed.channels.listening;
    expect(await speak(restricted!)).toBe(2);
    expect(await speak(restricted!, [1])).toBe(1);
    expect(await speak(restricted!, [4])).toMatch(/version/);
    expect(await speak(usual!)).toBe(5);
    expect(await speak(usual!, [1])).toMatch(/version/);
    expect(await speak(management!)).toBe(6);
    expect(await speak(management!, [1])).toBe(1);
  });

  it('each controller that is dialled has its own', async () => {
    const [restricted, usual] = [await host(), await host()];
    await start({
      listen: [],
      controllers: [{ target: restricted.target, versions: [3] }, usual.target],
      versions: [4],
    });
    await until(() => restricted.spoken.length > 0 && usual.spoken.length > 0);
    expect([restricted.spoken[0], usual.spoken[0]]).toEqual([3, 4]);
  });
});
