/** Probes for the address of an instance: who has it (ARP), ICMP echo, a TCP connection that is given up at once. */
import {
  ACK,
  ARP_REPLY,
  ARP_REQUEST,
  type Arp,
  BROADCAST,
  decodeProbe,
  ECHO_REPLY,
  ECHO_REQUEST,
  encodeProbe,
  RST,
  SYN,
  type Tcp,
} from './frames.js';
import { type Conversation, type Next, probePort, type Question, Sequence, WORKS } from './probe.js';

const NO_MAC = '00:00:00:00:00:00';

export class AtAddress implements Conversation {
  readonly #id = Math.floor(Math.random() * 0x1_0000);
  readonly #sequence = new Sequence();
  /** Of the instance, as it said. */
  #mac: string | undefined;
  #asking = false;

  /** `question` has an address. */
  constructor(readonly question: Question) {}

  begin(): readonly Uint8Array[] {
    this.#asking = true;
    this.#sequence.next();
    // ARP has no numbers: each check by it, or after one that failed, asks again.
    if (this.question.health.type === 'arp') this.#mac = undefined;
    return [this.#mac === undefined ? this.#whoHas() : this.#ask(this.#mac)];
  }

  take(frame: Uint8Array): Next | undefined {
    const came = decodeProbe(frame);
    if (came === undefined || came.source !== this.question.address) return undefined;
    switch (came.kind) {
      case 'arp':
        return this.#arp(came);
      case 'echo': {
        const ours = came.type === ECHO_REPLY && came.id === this.#id && came.sequence === this.#sequence.value;
        return ours && this.question.health.type === 'icmp' ? this.#end(WORKS) : undefined;
      }
      case 'tcp':
        return this.question.health.type === 'tcp' ? this.#tcp(came) : undefined;
    }
  }

  missed(): string {
    const known = this.#mac !== undefined;
    this.#mac = undefined;
    this.#asking = false;
    return known ? 'no answer' : 'no answer to ARP';
  }

  #end(next: Next): Next | undefined {
    if (!this.#asking) return undefined;
    this.#asking = false;
    return next;
  }

  #arp({ operation, sourceMac, target }: Arp): Next | undefined {
    const { source, type } = this.question.health;
    if (operation === ARP_REQUEST && target === source.address) {
      return { send: [this.#isAt(sourceMac)] };
    }
    if (operation !== ARP_REPLY || !this.#asking || this.#mac !== undefined) return undefined;
    this.#mac = sourceMac;
    return type === 'arp' ? this.#end(WORKS) : { send: [this.#ask(sourceMac)], asks: true };
  }

  /** SYN and ACK: somebody listens. RST: nobody does, but a reset answers what was acknowledged only (RFC 9293 §3.5.2). */
  #tcp(came: Tcp): Next | undefined {
    const expected = (this.#tcpSequence + 1) >>> 0;
    if (came.targetPort !== this.#port || came.acknowledgement !== expected || (came.flags & ACK) === 0)
      return undefined;
    if ((came.flags & RST) !== 0) {
      return this.#end({ send: [], verdict: { works: false, reason: `port ${came.sourcePort} is closed` } });
    }
    if ((came.flags & SYN) === 0) return undefined;
    const reset = { ...this.#syn(came.sourceMac), sequence: expected, flags: RST };
    return this.#end({ ...WORKS, send: [encodeProbe(reset)] });
  }

  #ends(targetMac: string) {
    const { health, address } = this.question;
    return { sourceMac: health.source.mac, source: health.source.address, targetMac, target: address! };
  }
  #whoHas(): Uint8Array {
    return encodeProbe({ ...this.#ends(NO_MAC), kind: 'arp', operation: ARP_REQUEST, frameTo: BROADCAST });
  }
  #isAt(mac: string): Uint8Array {
    return encodeProbe({ ...this.#ends(mac), kind: 'arp', operation: ARP_REPLY, frameTo: mac });
  }
  #ask(mac: string): Uint8Array {
    if (this.question.health.type === 'tcp') return encodeProbe(this.#syn(mac));
    const sequence = this.#sequence.value;
    return encodeProbe({ ...this.#ends(mac), kind: 'echo', type: ECHO_REQUEST, id: this.#id, sequence });
  }

  get #port(): number {
    return probePort(this.#sequence.value);
  }
  get #tcpSequence(): number {
    return this.#id * 0x1_0000 + this.#sequence.value;
  }
  #syn(mac: string): Tcp {
    return {
      ...this.#ends(mac),
      kind: 'tcp',
      sourcePort: this.#port,
      targetPort: this.question.health.port,
      sequence: this.#tcpSequence,
      acknowledgement: 0,
      flags: SYN,
    };
  }
}
