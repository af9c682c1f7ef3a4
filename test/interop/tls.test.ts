/**
 * TLS to controllers, against Open vSwitch's programs and OpenSSL's, with certificates that openssl made. The daemon has
 * given up its privileges, as it does on a host.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type Server as PlainServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiClient } from '../../src/api/client.js';
import type { ShowReply } from '../../src/api/messages.js';
import { apiSocketPath } from '../../src/api/run-dir.js';
import { Authority, type Identity, overwrite, overwriteIdentity, tlsOptions } from '../lab/pki.js';
import { Child, eventually, freePort, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });
const PATIENCE_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'xvif-tls-'));
/** The files that xvifd is told of; tests replace them. */
const live: Identity = { key: join(folder, 'live.key'), cert: join(folder, 'live.pem') };
const liveCa = { cert: join(folder, 'live-ca.pem') };
let ours: Authority;
let theirs: Authority;
let ofSwitch: Identity;
let ofController: Identity;

beforeAll(async () => {
  chmodSync(folder, 0o711);
  [ours, theirs] = [await Authority.make(folder, 'ours'), await Authority.make(folder, 'theirs')];
  ofSwitch = await ours.issue('switch');
  ofController = await ours.issue('controller');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Readable for whom the daemon became. */
function install(identity: Identity, authority: Authority): void {
  overwriteIdentity(live, identity);
  overwrite(liveCa.cert, authority.cert);
  for (const file of [live.key, live.cert, liveCa.cert]) chmodSync(file, 0o644);
}

const asNobody = ['--user', 'nobody', '--local', 'null'];

/** What `xvif show` would print. */
async function controllers(xvif: TestSwitch): Promise<ShowReply['bridges'][number]['controllers']> {
  const client = new ApiClient(apiSocketPath(xvif.runDir));
  try {
    return (await client.call('show', {})).bridges[0]!.controllers;
  } finally {
    client.close();
  }
}

/** Waits until `xvif show` says it of that target. */
async function says(xvif: TestSwitch, target: string, what: RegExp): Promise<void> {
  let last: unknown;
  await eventually(
    `${target} ${what}`,
    async () => {
      const all = await controllers(xvif);
      last = all;
      const one = all.find((status) => status.target === target);
      if (one === undefined || !what.test(one.lastError)) throw new Error(inspect(last));
      return true;
    },
    PATIENCE_MS,
  );
}

/** Runs to its end, however that is; its output. */
function outcome(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 20_000 }, (_, stdout, stderr) => resolve(stdout + stderr));
    child.stdin?.end();
  });
}

describe('controllers that connect to us', () => {
  let xvif: TestSwitch;
  let port: number;
  let target: string;
  const ofctl = (identity: Identity, authority: { readonly cert: string }, ...args: string[]) =>
    outcome('ovs-ofctl', '-O', 'OpenFlow13', ...tlsOptions(identity, authority), ...args);
  const show = (identity: Identity, authority: { readonly cert: string }) =>
    ofctl(identity, authority, 'show', `ssl:127.0.0.1:${port}`);
  /** Name in the certificate that we show now. */
  const shownName = () =>
    new Promise<string>((resolve, reject) => {
      const options = { key: readFileSync(ofController.key), cert: readFileSync(ofController.cert) };
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on('error', reject);
    });

  beforeAll(async () => {
    port = await freePort();
    target = `pssl:${port}:127.0.0.1`;
    install(ofSwitch, ours);
    xvif = await TestSwitch.start({ args: ['--listen', target, ...tlsOptions(live, liveCa), ...asNobody] });
  });
  afterAll(() => xvif?.stop());

  it('xvif show has the listener, and ovs-ofctl shows, adds and dumps', async () => {
    expect(await xvif.xvif('show')).toMatch(new RegExp(`listening +${target}`));
    expect(await show(ofController, ours)).toContain('OFPT_FEATURES_REPLY (OF1.3)');
    const flow = 'priority=7,in_port=1,actions=drop';
    expect(await ofctl(ofController, ours, 'add-flow', `ssl:127.0.0.1:${port}`, flow)).toBe('');
    expect(await ofctl(ofController, ours, 'dump-flows', `ssl:127.0.0.1:${port}`)).toContain('priority=7,in_port=1');
  });

  it.each([
    ['another CA', async () => show(await theirs.issue('stranger'), ours), /not from our CA but from CN=theirs$/],
    [
      'an expired certificate',
      async () => show(await ours.issue('old', -1), ours),
      /its certificate expired on .* GMT$/,
    ],
    [
      'no certificate',
      () => outcome('openssl', 's_client', '-connect', `127.0.0.1:${port}`),
      /was refused: it has no certificate$/,
    ],
    ['no TLS', () => outcome('ovs-ofctl', 'show', `tcp:127.0.0.1:${port}`), /it does not speak TLS$/],
    [
      'TLS 1.1',
      () => outcome('openssl', 's_client', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0', '-connect', `127.0.0.1:${port}`),
      /it speaks no TLS of version 1.2 or later$/,
    ],
    ['another idea of the CA', () => show(ofController, theirs), /it does not know the CA of our certificate$/],
  ])('%s is refused, in words', async (_, attempt, words) => {
    expect(await attempt()).not.toContain('FEATURES_REPLY');
    await says(xvif, target, words);
    expect(xvif.daemon.output).toMatch(new RegExp(`"reason":"[^"]*${words.source.replace(/^.*refused: |\$$/g, '')}"`));
    // And is forgotten when the next one is let in.
    expect(await show(ofController, ours)).toContain('FEATURES_REPLY');
    expect((await controllers(xvif)).filter(({ lastError }) => lastError !== '')).toEqual([]);
  });

  it('new files are used, and those that make no sense are not', async () => {
    expect(await shownName()).toBe('switch');
    const next = await ours.issue('renewed');
    const reports = (reason: string) =>
      eventually(reason, async () => xvif.daemon.output.includes(reason), PATIENCE_MS);

    // First the key: nobody has connected yet when it is told.
    overwrite(live.key, next.key);
    await reports(`private key ${live.key} is not that of certificate ${live.cert}`);
    expect(await shownName()).toBe('switch');
    // Half of the certificate.
    const whole = readFileSync(next.cert);
    writeFileSync(live.cert, whole.subarray(0, whole.length / 2));
    await reports(`a certificate in ${live.cert} is none, or not whole`);
    expect(await shownName()).toBe('switch');
    expect(await show(ofController, ours)).toContain('FEATURES_REPLY');
    // All of it.
    writeFileSync(live.cert, whole);
    await eventually('the new one is shown', async () => (await shownName()) === 'renewed', PATIENCE_MS);
    expect(await show(ofController, ours)).toContain('FEATURES_REPLY');

    // Another authority: who was known is not any more.
    overwrite(liveCa.cert, theirs.cert);
    expect(await show(ofController, ours)).not.toContain('FEATURES_REPLY');
    await says(xvif, target, /not from our CA but from CN=ours/);
    expect(await show(await theirs.issue('friend'), ours)).toContain('FEATURES_REPLY');
    rmSync(liveCa.cert);
    await reports('cannot read the CA certificate');
    expect(await show(await theirs.issue('friend'), ours)).toContain('FEATURES_REPLY');
    install(ofSwitch, ours);
    await eventually('the first files again', async () => (await shownName()) === 'switch', PATIENCE_MS);
  });

  it('who says nothing is sent away, and does not keep the daemon from ending', async () => {
    const silent = new Child('/bin/bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; sleep 100`]);
    await says(xvif, target, /it began no TLS handshake in time$/);
    await silent.stop();
    const another = new Child('/bin/bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; echo there; sleep 100`]);
    await eventually('it is there', async () => another.output.includes('there'));
    expect(await xvif.daemon.stop('SIGTERM')).toBe(0);
    await another.stop();
  });
});

describe('controllers that we connect to', () => {
  const servers: (Server | PlainServer)[] = [];
  const children: Child[] = [];
  const ports = new Map<string, number>();
  const targetOf = (name: string) => `ssl:127.0.0.1:${ports.get(name)}`;
  let xvif: TestSwitch;

  async function serve(name: string, server: Server | PlainServer): Promise<void> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.set(name, (server.address() as { port: number }).port);
  }
  async function testController(name: string, ...options: string[]): Promise<void> {
    const port = await freePort();
    ports.set(name, port);
    const all = ['-O', 'OpenFlow13', '--no-chdir', '--unixctl=none', ...options, `pssl:${port}:127.0.0.1`];
    children.push(new Child('ovs-testcontroller', all));
  }
  const files = ({ key, cert }: Identity) => ({ key: readFileSync(key), cert: readFileSync(cert) });

  beforeAll(async () => {
    install(ofSwitch, ours);
    await testController('good', ...tlsOptions(ofController, ours));
    await testController('knows another CA', ...tlsOptions(ofController, theirs));
    await serve('another CA', createServer(files(await theirs.issue('impostor'))));
    await serve('expired', createServer(files(await ours.issue('late', -1))));
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await serve('old', createServer({ ...files(ofController), ...old }));
    const hello = Buffer.from('0400000800000001', 'hex');
    await serve(
      'plain',
      createPlainServer((socket) => socket.on('error', () => {}).write(hello)),
    );
    await serve(
      'hangs up',
      createPlainServer((socket) => socket.on('error', () => {}).end()),
    );
    ports.set('nobody', await freePort());
    for (const server of servers) server.on('tlsClientError', () => {});
    const options = [...ports.keys()].flatMap((name) => ['--controller', targetOf(name)]);
    xvif = await TestSwitch.start({ args: [...options, ...tlsOptions(live, liveCa), ...asNobody] });
  });
  afterAll(async () => {
    await xvif?.stop();
    for (const child of children) await child.stop();
    for (const server of servers) server.close();
  });

  it('ovs-testcontroller is connected', async () => {
    await eventually(
      'connected',
      async () => (await controllers(xvif)).find(({ target }) => target === targetOf('good'))?.connected,
      PATIENCE_MS,
    );
  });

  it.each([
    ['another CA', /^its certificate is not from our CA but from CN=theirs$/],
    ['expired', /^its certificate expired on .* GMT$/],
    ['old', /^it speaks no TLS of version 1.2 or later$/],
    ['plain', /^it does not speak TLS$/],
    ['hangs up', /^it ended the connection during the TLS handshake$/],
    ['knows another CA', /it does not know the CA of our certificate/],
    ['nobody', /ECONNREFUSED/],
  ])('%s: why not', (name, words) => says(xvif, targetOf(name), words));

  it('new files are used for the next connection', async () => {
    const good = () =>
      controllers(xvif).then((all) => all.find(({ target }) => target === targetOf('knows another CA')));
    overwriteIdentity(live, await theirs.issue('switch-2'));
    await eventually('connected', async () => (await good())?.connected, PATIENCE_MS);
    install(ofSwitch, ours);
  });
});

describe('bootstrap', () => {
  it('the CA certificate of the first peer is kept, and trusted from then on', async () => {
    install(ofSwitch, ours);
    const place = join(folder, 'bootstrap');
    mkdirSync(place);
    chmodSync(place, 0o777);
    const kept = join(place, 'ca.pem');
    const port = await freePort();
    const chain = `--peer-ca-cert=${ours.cert}`;
    const files = tlsOptions(ofController, ours);
    const args = ['-O', 'OpenFlow13', '--no-chdir', '--unixctl=none', ...files, chain, `pssl:${port}:127.0.0.1`];
    const controller = new Child('ovs-testcontroller', args);
    const target = `ssl:127.0.0.1:${port}`;
    const options = [`--private-key=${live.key}`, `--certificate=${live.cert}`, `--bootstrap-ca-cert=${kept}`];
    const xvif = await TestSwitch.start({ args: ['--controller', target, ...options, ...asNobody] });
    await eventually('connected', async () => (await controllers(xvif))[0]?.connected, PATIENCE_MS);
    expect(existsSync(kept)).toBe(true);
    const print = (file: string) => sh('openssl', 'x509', '-in', file, '-noout', '-fingerprint', '-sha256');
    expect(await print(kept)).toBe(await print(ours.cert));
    expect(xvif.daemon.output).toContain('CA certificate taken from the first peer');
    await controller.stop();

    const files2 = tlsOptions(await theirs.issue('second'), ours);
    const chain2 = `--peer-ca-cert=${theirs.cert}`;
    const args2 = ['-O', 'OpenFlow13', '--no-chdir', '--unixctl=none', ...files2, chain2, `pssl:${port}:127.0.0.1`];
    const impostor = new Child('ovs-testcontroller', args2);
    await says(xvif, target, /not from our CA but from CN=theirs/);
    await impostor.stop();
    await xvif.stop();
  });
});
