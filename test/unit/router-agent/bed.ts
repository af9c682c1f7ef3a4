/** A router between two subnets on the model datapath, ports 1 (red) and 2 (blue), with its agent. */
import { checksum, setU16, sum16 } from '../../../src/router-agent/bytes.js';
import { DocumentsBed } from '../documents/bed.js';

export const mac = { router: '02000000ff01', red: '020000000101', blue: '020000000201' } as const;

/** `red` is known beforehand, and in blue whoever the tests make known. */
export async function routerBed(spec = '', blue = ''): Promise<DocumentsBed> {
  const bed = await DocumentsBed.open();
  bed.switch.ofproto.controllersChanged(false);
  bed.plug('red', 1);
  bed.plug('blue', 2);
  const { diagnostics } = await bed.apply(`
apiVersion: xvif.dev/v1alpha1
kind: Router
metadata: {name: router}
spec:
  mac: 02:00:00:00:ff:01
  subnets:
    - name: red
      gateway: [10.0.1.1/24, "fd00:1::1/64"]
      ports: [red/0]
      hosts: [{port: red/0, mac: "02:00:00:00:01:01", addresses: [10.0.1.11, "fd00:1::11"]}]
    - name: blue
      gateway: [10.0.2.1/24, "fd00:2::1/64"]
      ports: [blue/0]
${blue}
  routes:
    - {to: 198.51.100.0/24, reject: true}
    - {to: "2001:db8:1::/48", reject: true}
    - {to: 192.0.2.0/24, blackhole: true}
${spec}
`);
  if (diagnostics.errors > 0) throw new Error(diagnostics.sorted()[0]!.message);
  return bed;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** A frame of a guest with its IPv4 header's checksum made right; `change` writes over what is there. */
export function changed(frame: Uint8Array, change: (frame: Uint8Array) => void): Uint8Array {
  const copy = frame.slice();
  change(copy);
  if (copy[12] === 0x08 && copy[13] === 0x00) {
    const header = copy.subarray(14, 14 + (copy[14]! & 0xf) * 4);
    setU16(header, 10, 0);
    setU16(header, 10, checksum(header));
  }
  return copy;
}

/** What is in an answer of a kernel's, and cannot be the same in ours: identification, header checksum, flow label. */
export function comparable(frame: Uint8Array): string {
  const copy = frame.slice();
  if (copy[12] === 0x08) copy.fill(0, 18, 20).fill(0, 24, 26);
  else copy.set([copy[15]! & 0xf0, 0, 0], 15);
  return hex(copy);
}

export const isWhole = (header: Uint8Array): boolean => sum16(header) === 0xffff;
