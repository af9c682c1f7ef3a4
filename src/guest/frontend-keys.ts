/** What the frontend reads from the backend, and the keys it writes: both sides' wishes made one (io/netif.h). */
import { parseDecimal } from '../base/decimal.js';
import type { FrontendOptions, NativeFrontend } from '../datapath/native-addon.js';
import type { XenstoreClient } from '../xenstore/index.js';
import type { Personality } from './personality.js';

const QUEUES_MAX = 64;

export type Negotiated = Pick<
  FrontendOptions,
  'queues' | 'splitEventChannels' | 'sg' | 'gsoTcpv4' | 'gsoTcpv6' | 'csumOffload'
> & { readonly ipv6CsumOffload: boolean; readonly controlRing: boolean; readonly dynamicMulticast: boolean };

/** Rejects when the backend lacks what every netfront needs. */
export async function negotiate(
  store: XenstoreClient,
  backendPath: string,
  personality: Personality,
): Promise<Negotiated> {
  const read = (key: string) => store.readOrUndefined(`${backendPath}/${key}`);
  const has = async (key: string) => (await read(key)) === '1';
  // Who does not wait for the backend's features takes them for granted.
  if (!personality.conduct.announcesEarly && !(await has('feature-rx-copy')))
    throw new Error('the backend does not offer feature-rx-copy');
  const queuesMax = parseDecimal((await read('multi-queue-max-queues')) ?? '1', 1, QUEUES_MAX) ?? 1;
  const sg = personality.sg && (await has('feature-sg'));
  const csumOffload = personality.csumOffload && !(await has('feature-no-csum-offload'));
  const ipv6CsumOffload = personality.ipv6CsumOffload && csumOffload && (await has('feature-ipv6-csum-offload'));
  return {
    queues: Math.min(personality.queues, queuesMax),
    splitEventChannels: personality.splitEventChannels && (await has('feature-split-event-channels')),
    sg,
    gsoTcpv4: personality.gsoTcpv4 && sg && csumOffload && (await has('feature-gso-tcpv4')),
    gsoTcpv6: personality.gsoTcpv6 && sg && ipv6CsumOffload && (await has('feature-gso-tcpv6')),
    csumOffload,
    ipv6CsumOffload,
    controlRing: personality.controlRing && (await has('feature-ctrl-ring')),
    dynamicMulticast: personality.multicastControl && (await has('feature-dynamic-multicast-control')),
  };
}

/** Every key below the frontend's path but the state; undefined: not there. */
export function frontendKeys(
  { queues, control }: Pick<NativeFrontend, 'queues' | 'control'>,
  agreed: Negotiated,
  personality: Personality,
): Record<string, string | undefined> {
  const keys: Record<string, string | undefined> = { 'request-rx-copy': '1' };
  if (queues.length > 1 || personality.announcesOneQueue) keys['multi-queue-num-queues'] = String(queues.length);
  queues.forEach((queue, index) => {
    const prefix = queues.length > 1 ? `queue-${index}/` : '';
    keys[`${prefix}tx-ring-ref`] = String(queue.txRingRef);
    keys[`${prefix}rx-ring-ref`] = String(queue.rxRingRef);
    if (agreed.splitEventChannels) {
      keys[`${prefix}event-channel-tx`] = String(queue.evtchnTx);
      keys[`${prefix}event-channel-rx`] = String(queue.evtchnRx);
    } else {
      keys[`${prefix}event-channel`] = String(queue.evtchnTx);
    }
  });
  if (control !== undefined) {
    keys['ctrl-ring-ref'] = String(control.ringRef);
    keys['event-channel-ctrl'] = String(control.evtchn);
  }
  if (!personality.writesFeatures) return keys;
  const flag = (value: boolean) => (value ? '1' : '0');
  return {
    ...keys,
    ...personality.furtherKeys,
    'feature-rx-notify': flag(personality.rxNotify),
    'feature-sg': flag(agreed.sg),
    'feature-gso-tcpv4': personality.gsoTcpv4 ? flag(agreed.gsoTcpv4) : undefined,
    'feature-gso-tcpv6': personality.gsoTcpv6 ? flag(agreed.gsoTcpv6) : undefined,
    'feature-ipv6-csum-offload': personality.ipv6CsumOffload ? flag(agreed.ipv6CsumOffload) : undefined,
    'feature-no-csum-offload': agreed.csumOffload ? undefined : '1',
  };
}
