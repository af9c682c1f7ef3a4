/** What the data path can do for any frontend, in the words of io/netif.h. */

/** Queues per vif; the limit of Linux's backend too. */
export const QUEUES_MAX = 8;

/** "1": leave no checksum blank. IPv4's offload is on where it is missing. */
export const NO_CSUM_KEY = 'feature-no-csum-offload';

/**
 * Keys written before InitWait. A frontend turns on exactly what stands here, so nothing stands here that the data
 * path does not do. `completeChecksums`: the frontend is asked to leave none blank.
 */
export function advertisedFeatures(queuesMax: number, completeChecksums = false): Readonly<Record<string, string>> {
  // A large frame has a blank checksum by nature.
  const blank = completeChecksums ? '0' : '1';
  return {
    'feature-rx-copy': '1',
    'feature-rx-flip': '0',
    'feature-sg': '1',
    'feature-gso-tcpv4': blank,
    'feature-gso-tcpv6': blank,
    'feature-ipv6-csum-offload': blank,
    ...(completeChecksums ? { [NO_CSUM_KEY]: '1' } : {}),
    'feature-multicast-control': '1',
    'feature-dynamic-multicast-control': '1',
    'feature-xdp-headroom': '1',
    'feature-split-event-channels': '1',
    'feature-ctrl-ring': '1',
    'multi-queue-max-queues': String(queuesMax),
  };
}
