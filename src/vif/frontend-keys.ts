/**
 * Reads what the frontend wrote (io/netif.h) and makes a {@link VifSpec} of it. The guest may have written anything:
 * every value is parsed strictly and every fault is a {@link DeviceError} that names the key and what stood there.
 */
import { parseDecimal, quote } from '../base/decimal.js';
import type { VifSpec } from '../datapath/datapath.js';
import { DeviceError, type KeyReader } from '../xenbus/index.js';
import type { VifId } from './names.js';

const GRANT_REF_MAX = 0xffffffff;
/** Ports of the FIFO event channel ABI; port 0 is none. */
const EVTCHN_MAX = (1 << 17) - 1;

type Queue = VifSpec['queues'][number];

export async function readFrontend(frontend: KeyReader, id: VifId, queuesMax: number): Promise<VifSpec> {
  const [queues, control, rxCopy, features] = await Promise.all([
    readQueues(frontend, queuesMax),
    readControl(frontend),
    readFlag(frontend, 'request-rx-copy'),
    readFeatures(frontend),
  ]);
  if (!rxCopy) throw new DeviceError('frontend key request-rx-copy must be 1: pages are not flipped');
  refuseRepeated(
    'ring reference',
    queues.flatMap(({ txRingRef, rxRingRef }) => [txRingRef, rxRingRef]).concat(control?.ringRef ?? []),
  );
  refuseRepeated(
    'event channel',
    // Within one queue both directions may share a channel.
    queues.flatMap(({ evtchnTx, evtchnRx }) => [...new Set([evtchnTx, evtchnRx])]).concat(control?.evtchn ?? []),
  );
  return { kind: 'vif', ...id, queues, ...features, ...(control && { control }) };
}

/** Both keys or none. */
async function readControl(frontend: KeyReader): Promise<VifSpec['control']> {
  const present = await Promise.all(['ctrl-ring-ref', 'event-channel-ctrl'].map((key) => frontend.read(key)));
  if (present.every((text) => text === undefined)) return undefined;
  const [ringRef, evtchn] = await Promise.all([
    readNumber(frontend, 'ctrl-ring-ref', GRANT_REF_MAX),
    readNumber(frontend, 'event-channel-ctrl', EVTCHN_MAX),
  ]);
  return { ringRef, evtchn };
}

type Features = Omit<VifSpec, 'kind' | 'domid' | 'handle' | 'queues' | 'control'>;

async function readFeatures(frontend: KeyReader): Promise<Features> {
  const [sg, gso4, gso6, ipv6Csum, rxNotify, noCsum] = await Promise.all([
    readFlag(frontend, 'feature-sg'),
    readFlag(frontend, 'feature-gso-tcpv4'),
    readFlag(frontend, 'feature-gso-tcpv6'),
    readFlag(frontend, 'feature-ipv6-csum-offload'),
    readFlag(frontend, 'feature-rx-notify'),
    readFlag(frontend, 'feature-no-csum-offload'),
  ]);
  // By the letter, whoever writes no key at all takes blank IPv4 checksums. In practice that is a unikernel whose
  // stack checks them in software and drops the packet.
  const knowsOffloads = [sg, gso4, gso6, ipv6Csum, rxNotify].some((flag) => flag !== undefined);
  const csumBlankIpv4 = knowsOffloads && !noCsum;
  const csumBlankIpv6 = knowsOffloads && ipv6Csum === true;
  return {
    sg: sg === true,
    // A segment larger than a page needs several slots, and its checksum is blank by nature.
    gsoTcpv4: sg === true && gso4 === true && csumBlankIpv4,
    gsoTcpv6: sg === true && gso6 === true && csumBlankIpv6,
    csumBlankIpv4,
    csumBlankIpv6,
    rxNotify: rxNotify === true,
  };
}

/** Flat keys or queue-N/ for one queue, queue-N/ for several. */
async function readQueues(frontend: KeyReader, queuesMax: number): Promise<Queue[]> {
  const countText = await frontend.read('multi-queue-num-queues');
  const count = countText === undefined ? 1 : parseDecimal(countText, 1, queuesMax);
  if (count === undefined) throw invalid('multi-queue-num-queues', countText!, `1..${queuesMax}`);
  const flat = count === 1 && (await frontend.read('tx-ring-ref')) !== undefined;
  const queues: Queue[] = [];
  for (let index = 0; index < count; index++) {
    queues.push(await readQueue(frontend, flat || (count === 1 && countText === undefined) ? '' : `queue-${index}/`));
  }
  return queues;
}

async function readQueue(frontend: KeyReader, prefix: string): Promise<Queue> {
  const [txRingRef, rxRingRef, split] = await Promise.all([
    readNumber(frontend, `${prefix}tx-ring-ref`, GRANT_REF_MAX),
    readNumber(frontend, `${prefix}rx-ring-ref`, GRANT_REF_MAX),
    frontend.read(`${prefix}event-channel-tx`),
  ]);
  if (split === undefined) {
    const evtchn = await readNumber(frontend, `${prefix}event-channel`, EVTCHN_MAX);
    return { txRingRef, rxRingRef, evtchnTx: evtchn, evtchnRx: evtchn };
  }
  const [evtchnTx, evtchnRx] = await Promise.all([
    readNumber(frontend, `${prefix}event-channel-tx`, EVTCHN_MAX),
    readNumber(frontend, `${prefix}event-channel-rx`, EVTCHN_MAX),
  ]);
  return { txRingRef, rxRingRef, evtchnTx, evtchnRx };
}

function refuseRepeated(what: string, values: readonly number[]): void {
  const repeated = values.find((value, index) => values.indexOf(value) !== index);
  if (repeated !== undefined) throw new DeviceError(`frontend uses ${what} ${repeated} twice`);
}

/** 1..max; a reference or channel of 0 is none. */
async function readNumber(frontend: KeyReader, key: string, max: number): Promise<number> {
  const text = await frontend.read(key);
  if (text === undefined) throw new DeviceError(`frontend key ${key} is missing`);
  const value = parseDecimal(text, 1, max);
  if (value === undefined) throw invalid(key, text, `1..${max}`);
  return value;
}

/** Undefined when missing. */
async function readFlag(frontend: KeyReader, key: string): Promise<boolean | undefined> {
  const text = await frontend.read(key);
  if (text === undefined) return undefined;
  if (text !== '0' && text !== '1') throw invalid(key, text, '0 or 1');
  return text === '1';
}

function invalid(key: string, text: string, wanted: string): DeviceError {
  return new DeviceError(`frontend key ${key} is ${quote(text)}, must be ${wanted}`);
}
