/**
 * Xen Orchestra's own OpenFlow codec as a client, over TLS and in the order in which its SDN controller sends
 * (packages/xo-server-sdn-controller/src/protocol/openflow-channel.js). It speaks 1.1 and nothing else, and what it does
 * not know ends its reading.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Authority, type Identity, tlsOptions } from '../lab/pki.js';
import { eventually, freePort } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

interface OfMessage {
  readonly header: { readonly version: number; readonly type: number; readonly xid: number };
  readonly [field: string]: unknown;
}
interface Protocol {
  readonly type: Readonly<Record<string, number>>;
  readonly [table: string]: Readonly<Record<string, number>>;
}
interface Codec {
  readonly versions: { readonly openFlow11: number };
  readonly protocols: Readonly<Record<number, Protocol>>;
  pack(message: object): Buffer;
}
const require = createRequire(import.meta.url);
const { default: openflow } = require('@xen-orchestra/openflow') as { default: Codec };
const { default: parse } = require('@xen-orchestra/openflow/parse-socket') as {
  default: (socket: TLSSocket) => AsyncIterable<OfMessage>;
};
const VERSION = openflow.versions.openFlow11;
const protocol = openflow.protocols[VERSION]!;
const { type } = protocol;

const MAC = '0a:00:00:00:00:01';
/** As a rule "allow, from, TCP, 10.1.0.0/16, port 443" is matched. */
const rule = {
  type: protocol.matchType!.standard,
  dl_type: protocol.dlType?.ip ?? 0x0800,
  dl_src: MAC,
  nw_proto: 6,
  nw_dst: '10.1.0.0',
  nw_dst_mask: '0.0.255.255',
  tp_src: 443,
};

/** Does what XO does with each message, and keeps them all. */
class XenOrchestra {
  readonly received: OfMessage[] = [];
  /** Why it reads no more. */
  failure: unknown;

  private constructor(readonly socket: TLSSocket) {
    void this.#read();
  }

  static async connect(port: number, { key, cert }: Identity, ca: string): Promise<XenOrchestra> {
    const [keyPem, certPem, caPem] = [key, cert, ca].map((file) => readFileSync(file));
    const tls = { key: keyPem, cert: certPem, ca: caPem, ciphers: 'DEFAULT:!DH', rejectUnauthorized: false };
    const socket = connect({ host: '127.0.0.1', port, ...tls });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const self = new XenOrchestra(socket);
    await eventually('XO is connected', async () => {
      if (self.failure !== undefined) throw self.failure;
      return self.has(type.getConfigReply!);
    });
    return self;
  }

  has(wanted: number, xid?: number): boolean {
    return this.received.some(({ header }) => header.type === wanted && (xid === undefined || header.xid === xid));
  }

  send(message: object): void {
    this.socket.write(openflow.pack(message));
  }

  flowMod(command: number, match: object, rest: object = {}): void {
    const header = { version: VERSION, type: type.flowMod, xid: 1 };
    this.send({ header, command, match, flags: protocol.flowModFlags!.sendFlowRem, ...rest });
  }

  async #read(): Promise<void> {
    try {
      for await (const message of parse(this.socket)) {
        this.received.push(message);
        this.#answer(message.header);
      }
    } catch (error) {
      this.failure = error;
    }
  }

  #answer({ type: received, xid }: OfMessage['header']): void {
    const answers: Readonly<Record<number, readonly (number | undefined)[]>> = {
      [type.hello!]: [type.hello, type.featuresRequest],
      [type.featuresReply!]: [type.getConfigRequest],
      [type.echoRequest!]: [type.echoReply],
    };
    for (const answer of answers[received] ?? []) this.send({ header: { version: VERSION, type: answer, xid } });
  }
}

const output = (port: number) => ({
  type: protocol.instructionType!.applyActions,
  actions: [{ type: protocol.actionType!.output, port }],
});
const NORMAL = 0xfffffffa;

describe('Xen Orchestra', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xvif-xo-'));
  let authority: Authority;
  let identity: Identity;
  let xvif: TestSwitch;
  let port: number;
  let xo: XenOrchestra;

  beforeAll(async () => {
    authority = await Authority.make(folder, 'sdn-controller-ca');
    identity = await authority.issue('xo');
    port = await freePort();
    xvif = await TestSwitch.start({
      args: [
        '--protocols=OpenFlow11',
        ...['--listen', `pssl:${port}:127.0.0.1`, '--local', 'null', '--port', 'one=null', '--port', 'two=null'],
        ...tlsOptions(await authority.issue('host'), authority),
      ],
    });
    xo = await XenOrchestra.connect(port, identity, authority.cert);
  });
  afterAll(async () => {
    xo?.socket.destroy();
    await xvif?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const flows = async () => {
    const dumped = await xvif.ofctl('dump-flows');
    return [...dumped.matchAll(/priority=\S+ actions=\S+|tcp\S* actions=\S+/g)].map(([flow]) => flow);
  };

  it('is greeted in 1.1 and learns the ports and the configuration', () => {
    const [hello, features, config] = xo.received;
    expect([hello, features, config].map((message) => message?.header.version)).toEqual([VERSION, VERSION, VERSION]);
    expect(features!.header.type).toBe(type.featuresReply);
    const names = (features!.ports as readonly { readonly name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['one', 'two']));
    expect(xo.failure).toBeUndefined();
  });

  it('adds rules and takes them away, those of others excepted', async () => {
    await xvif.ofctl('add-flow', `cookie=7,priority=3,tcp,dl_src=${MAC},nw_dst=10.1.0.0/16,tp_src=443,actions=drop`);
    xo.flowMod(protocol.flowModCommand!.add!, { ...rule, in_port: 1 }, { instructions: [output(NORMAL)] });
    xo.flowMod(
      protocol.flowModCommand!.add!,
      { ...rule, in_port: 2 },
      { instructions: [{ ...output(0), actions: [] }] },
    );
    await eventually('both rules', async () => (await xvif.ofctl('dump-flows')).split('send_flow_rem').length === 3);
    const dumped = await xvif.ofctl('dump-flows');
    expect(dumped).toMatch(/tcp,in_port=.*dl_src=0a:00:00:00:00:01,nw_dst=10\.1\.0\.0\/16,tp_src=443 actions=NORMAL/);
    expect(dumped).toMatch(/tcp,in_port=.*tp_src=443 actions=drop/);
    // Without in_port, and of every priority, but with a cookie of 0.
    xo.flowMod(protocol.flowModCommand!.delete!, rule);
    await eventually('the foreign rule alone', async () => (await flows()).length === 1);
    expect((await flows())[0]).toContain('priority=3');
  });

  it('hears of nothing it would not understand: no removed flows, no ports, no packets', async () => {
    await xvif.ofctl('del-flows');
    await xvif.ofctl('add-flow', 'priority=1,actions=controller');
    await xvif.ofctl('packet-out', `in_port=LOCAL,packet=${'02'.repeat(60)},actions=table`);
    await xvif.ofctl('mod-port', 'one', 'down');
    await xvif.ofctl('mod-port', 'one', 'up');
    xo.flowMod(protocol.flowModCommand!.add!, rule, { instructions: [output(NORMAL)] });
    await eventually('it is still heard', async () => (await xvif.ofctl('dump-flows')).includes('tp_src=443'));
    const known = [type.hello, type.featuresReply, type.getConfigReply, type.echoRequest];
    expect(xo.received.filter(({ header }) => !known.includes(header.type))).toEqual([]);
    expect(xo.failure).toBeUndefined();
  });

  it('understands the error that a rule which cannot be is answered with', async () => {
    xo.flowMod(protocol.flowModCommand!.add!, rule, { instructions: [output(0xffffff42)] });
    await eventually('an error', async () => xo.has(type.error!, 1));
    expect(xo.received.find(({ header }) => header.type === type.error)).toMatchObject({
      type: protocol.errorType!.badAction,
    });
    expect(xo.failure).toBeUndefined();
  });

  it('answers echo requests without their payload, and stays', async () => {
    const echoes = () => xo.received.filter(({ header }) => header.type === type.echoRequest).length;
    const before = echoes();
    await eventually('two more echo requests', async () => echoes() >= before + 2, 60_000);
    xo.flowMod(protocol.flowModCommand!.delete!, rule);
    await eventually('the rule is gone', async () => !(await xvif.ofctl('dump-flows')).includes('tp_src=443'));
    expect([xo.failure, xo.socket.destroyed]).toEqual([undefined, false]);
  });

  it('a client without a certificate of the authority is not let in', async () => {
    const other = await Authority.make(folder, 'other-ca');
    const stranger = await other.issue('stranger');
    const { key, cert } = stranger;
    const socket = connect({
      host: '127.0.0.1',
      port,
      key: readFileSync(key),
      cert: readFileSync(cert),
      rejectUnauthorized: false,
    });
    const heard: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => heard.push(bytes)).on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toEqual([]);
  });
});
