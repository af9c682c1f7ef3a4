/** A router whose flows learn no more than one neighbour of each port: the rest goes by its agent. Needs root. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checksum, setU16 } from '../../src/router-agent/bytes.js';
import { PROTOCOL, pseudoHeaderSum } from '../../src/router-agent/ip-packet.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';

const document = `
apiVersion: xvif.dev/v1alpha1
kind: Router
metadata: {name: router}
spec:
  mac: 02:00:00:00:ff:01
  subnets:
    - {name: red, gateway: [10.0.1.1/24, "fd00:1::1/64"], ports: [g1/0]}
    - {name: blue, gateway: 10.0.2.1/24, ports: [g2/0]}
  learn: {limit: 1}
`;

const BYTES = 200_000;
const PORT = 5001;
const receive = `import hashlib, socket
s = socket.create_server(("10.0.2.12", ${PORT}))
c, _ = s.accept()
got = b""
while True:
    part = c.recv(65536)
    if not part: break
    got += part
print(len(got), hashlib.sha256(got).hexdigest())`;
const send = `import hashlib, random, socket, time
for _ in range(100):
    try:
        c = socket.create_connection(("10.0.2.12", ${PORT}), timeout=30)
        break
    except OSError: time.sleep(0.2)
data = random.Random(1).randbytes(${BYTES})
c.sendall(data)
c.close()
print(len(data), hashlib.sha256(data).hexdigest())`;

/** A proxy's neighbour advertisement: fd00:1::77 is at 02:00:00:00:00:77 (RFC 4861 §7.2.8). */
function advertisement(sourceMac: string): string {
  const message = Uint8Array.from(
    Buffer.from(`8800000060000000fd000001000000000000000000000077${'0201020000000077'}`, 'hex'),
  );
  const [source, gateway] = [(0xfd000001n << 96n) | 0x77n, (0xfd000001n << 96n) | 1n];
  setU16(message, 2, checksum(message, pseudoHeaderSum(6, source, gateway, PROTOCOL.icmp6, message.length)));
  const addresses = 'fd000001000000000000000000000077fd000001000000000000000000000001';
  return `02000000ff01${sourceMac}86dd6000000000203aff${addresses}${Buffer.from(message).toString('hex')}`;
}

describe('a router that has learned all that it may', () => {
  let bed: TestSwitch;
  const netns: Record<'red' | 'blue', string> = { red: '', blue: '' };
  const python = (guest: 'red' | 'blue', script: string) =>
    sh('ip', 'netns', 'exec', netns[guest], 'python3', '-c', script);
  const ip = (guest: 'red' | 'blue', ...args: string[]) => sh('ip', '-n', netns[guest], ...args);

  beforeAll(async () => {
    bed = await TestSwitch.start({ bridge: `xl${process.pid}` });
    for (const [guest, n] of [
      ['red', 1],
      ['blue', 2],
    ] as const) {
      netns[guest] = (await bed.tapGuest(n)).netns;
      await ip(guest, 'addr', 'flush', 'dev', 'eth0');
      await ip(guest, 'addr', 'add', `10.0.${n}.11/24`, 'dev', 'eth0');
      await ip(guest, 'route', 'add', 'default', 'via', `10.0.${n}.1`);
    }
    await ip('blue', 'addr', 'add', '10.0.2.12/24', 'dev', 'eth0');
    const file = join(bed.runDir, 'router.yaml');
    writeFileSync(file, document);
    await bed.xvif('apply', file);
  }, 300_000);
  afterAll(() => bed?.stop(), 60_000);

  it('believes what an advertisement says, not who sends it', async () => {
    const mac = (await python('red', 'print(open("/sys/class/net/eth0/address").read())')).trim();
    const frame = advertisement(mac.replaceAll(':', ''));
    await python(
      'red',
      `import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
s.send(bytes.fromhex("${frame}"))`,
    );
    await eventually('it is learned', async () =>
      /reg0=0xfd000001,reg1=0,reg2=0,reg3=0x77,[^\n]*set_field:02:00:00:00:00:77->eth_dst/.test(
        await bed.ofctl('dump-flows'),
      ),
    );
  }, 300_000);

  it('sends TCP of segmentation offload to who is not among them', async () => {
    expect(await ping(netns.red, '10.0.2.11', 3)).toBeGreaterThanOrEqual(1);
    const [received, sent] = await Promise.all([python('blue', receive), python('red', send)]);
    expect(sent).toContain(`${BYTES} `);
    expect(received).toBe(sent);
    const learned = (await bed.ofctl('dump-flows')).match(/reg0=0xa0002[0-9a-f]{2},/g) ?? [];
    expect(learned).toHaveLength(1);
  }, 300_000);
});
