/** Probes that go into an instance by one leg and must come out by the other as they are: for a bump in the wire. */
import { ARP_REQUEST, decodeProbe, ECHO_REQUEST, encodeProbe, type Probe, RST, SYN } from './frames.js';
import { type Conversation, type Next, probePort, type Question, Sequence, WORKS } from './probe.js';

const bytesOf = (value: number): string => `00:00:00:00:${hex(value >> 8)}:${hex(value & 0xff)}`;
const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

export class Through implements Conversation {
  readonly #id = Math.floor(Math.random() * 0x1_0000);
  readonly #sequence = new Sequence();

  constructor(readonly question: Question) {}

  begin(): readonly Uint8Array[] {
    this.#sequence.next();
    return [encodeProbe(this.#probe())];
  }

  take(frame: Uint8Array): Next | undefined {
    const [came, sent] = [decodeProbe(frame), this.#probe()];
    if (came === undefined || !isSame(came, sent)) return undefined;
    if (sent.kind !== 'tcp') return WORKS;
    // So that a firewall forgets the connection.
    return { ...WORKS, send: [encodeProbe({ ...sent, flags: RST, sequence: (sent.sequence + 1) >>> 0 })] };
  }

  missed(): string {
    return 'the probe did not come out';
  }

  #probe(): Probe {
    const { type, source, target, port } = this.question.health;
    const ends = {
      sourceMac: source.mac,
      targetMac: target.mac,
      source: source.address,
      target: target.address,
    };
    const sequence = this.#sequence.value;
    switch (type) {
      case 'arp':
        // A request says nothing in this field (RFC 826), so that it can carry the number.
        return { ...ends, kind: 'arp', operation: ARP_REQUEST, frameTo: target.mac, targetMac: bytesOf(sequence) };
      case 'tcp':
        return {
          ...ends,
          kind: 'tcp',
          sourcePort: probePort(sequence),
          targetPort: port,
          sequence: this.#id * 0x1_0000 + sequence,
          acknowledgement: 0,
          flags: SYN,
        };
      default:
        return { ...ends, kind: 'echo', type: ECHO_REQUEST, id: this.#id, sequence };
    }
  }
}

/** What firewalls may write anew in TCP: where a connection begins to count, and how it tells of congestion. */
const mayDiffer: ReadonlySet<string> = new Set(['sequence', 'acknowledgement', 'flags']);

function isSame(came: Probe, sent: Probe): boolean {
  const keys = Object.keys(sent).filter((key) => sent.kind !== 'tcp' || !mayDiffer.has(key));
  if (!keys.every((key) => came[key as keyof Probe] === sent[key as keyof Probe])) return false;
  return came.kind !== 'tcp' || (came.flags & (SYN | RST)) === SYN;
}
