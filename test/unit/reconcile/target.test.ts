/** Where a switch is, in words. TLS is tested with certificates in test/interop. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connectTo } from '../../../src/reconcile/index.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-target-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a target', () => {
  it('is connected to', async () => {
    const path = join(folder, 'switch');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const socket = await connectTo(`unix:${path}`);
    socket.destroy();
    server.close();
    await expect(connectTo(`unix:${join(folder, 'none')}`)).rejects.toThrow('ENOENT');
  });

  it.each(['', 'tcp:', 'tcp:h:0', 'tcp:h:65536', 'tcp:a:b:c', 'udp:h', 'unix:', 'ssl:h:x'])(
    '%j is none',
    async (text) => {
      await expect(connectTo(text)).rejects.toThrow('expected tcp:HOST[:PORT], ssl:HOST[:PORT] or unix:PATH');
    },
  );

  it('with TLS needs its files', async () => {
    await expect(connectTo('ssl:127.0.0.1')).rejects.toThrow('ssl: needs --private-key, --certificate and --ca-cert');
    const files = { privateKey: join(folder, 'k'), certificate: join(folder, 'c'), caCert: join(folder, 'ca') };
    await expect(connectTo('ssl:127.0.0.1', files)).rejects.toThrow('ENOENT');
  });
});
