/** What the data path can do for any frontend, in the words of io/netif.h. */

/** Queues per vif; the limit of Linux's backend too. */
export const QUEUES_MAX = 8;

/**
 * Keys written before InitWait. A frontend turns on exactly what stands here, so nothing stands here that the data
 * path does not do.
 */
export function advertisedFeatures(queuesMax: number): Readonly<Record<string, string>> {
  return {
    'feature-rx-copy': '1',
    'feature-rx-flip': '0',
    'feature-sg': '1',
    'feature-gso-tcpv4': '1',
    'feature-gso-tcpv6': '1',
    'feature-ipv6-csum-offload': '1',
    'feature-split-event-channels': '1',
    'feature-ctrl-ring': '1',
    'multi-queue-max-queues': String(queuesMax),
  };
}
