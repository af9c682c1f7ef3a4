/**
 * What xenvif asks of a backend that is Connected before it tells Windows of a carrier (win-xenvif frontend.c
 * FrontendEnable, receiver.c, controller.c), and what Windows asks of it right after that.
 */
import type { Clock } from '../base/clock.js';
import { parseIpv6 } from '../base/ip-address.js';
import type { ControlRequest, FrontendOptions, NativeFrontend } from '../datapath/native-addon.js';
import { type ControlRing, endHashing, hashTypes, setHashing } from './control-ring.js';

/** XENVIF_CONTROLLER_MAX_WAIT: what has no answer by then has failed. */
const CONTROL_PATIENCE_MS = 5000;
/** Entries of the table by which Windows spreads frames over processors. */
const RSS_TABLE = 128;
/** The key in Microsoft's description of receive side scaling. */
const RSS_KEY = Uint8Array.from(
  Buffer.from('6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa', 'hex'),
);

/**
 * Hashing is ended first. Then, with several queues, Windows turns it on step by step, and each step sends all there is
 * so far: no table and a key of zeros to begin with. Rejects with the request that was refused or not answered.
 */
export async function scaleReceiving(native: NativeFrontend, clock: Clock): Promise<void> {
  const ring: ControlRing = {
    controlRequest: (request) => inTime(native.controlRequest(request), request, clock),
  };
  await endHashing(ring);
  const queues = native.queues.length;
  if (queues === 1) return;
  let hashing = { types: 0, key: new Uint8Array(RSS_KEY.length), mapping: [] as number[] };
  await setHashing(ring, hashing);
  const types = await hashTypes(ring);
  hashing = { ...hashing, mapping: Array.from({ length: RSS_TABLE }, (_, i) => i % queues) };
  await setHashing(ring, hashing);
  hashing = { ...hashing, types };
  await setHashing(ring, hashing);
  await setHashing(ring, { ...hashing, key: RSS_KEY });
}

/**
 * Multicast that the stack listens to: all systems, all nodes, and the solicited-node address of its IPv6 address
 * (RFC 4291, 2.7.1). Undefined: a kernel's stack, which does not tell.
 */
export function multicastGroups(stack: FrontendOptions['stack']): readonly string[] | undefined {
  if (stack.kind !== 'builtin') return undefined;
  const groups = ['01:00:5e:00:00:01', '33:33:00:00:00:01'];
  if (stack.ipv6 !== undefined) groups.push(solicitedNode(stack.ipv6));
  return groups;
}

function solicitedNode(ipv6: string): string {
  const last = (parseIpv6(ipv6) ?? 0n) & 0xffffffn;
  const bytes = last.toString(16).padStart(6, '0').match(/../g)!;
  return `33:33:ff:${bytes.join(':')}`;
}

function inTime<Answer>(answer: Promise<Answer>, { type }: ControlRequest, clock: Clock): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(CONTROL_PATIENCE_MS, () =>
      reject(new Error(`control request ${type} has no answer after ${CONTROL_PATIENCE_MS} ms`)),
    );
    answer.finally(() => timer.cancel()).then(resolve, reject);
  });
}
