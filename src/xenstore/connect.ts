import type { Logger } from '../base/logger.js';
import { XenstoreClient } from './client.js';
import { DeviceTransport } from './device.js';
import { SocketTransport } from './socket.js';

/**
 * Connects to the host's xenstored as libxenstore does: by its socket where it runs, through the kernel elsewhere.
 * Rejects with a sentence that names both attempts.
 */
export async function connectXenstored(options: { readonly logger?: Logger } = {}): Promise<XenstoreClient> {
  const failures: string[] = [];
  for (const open of [() => SocketTransport.open(), async () => DeviceTransport.open()]) {
    try {
      return new XenstoreClient(await open(), options);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(`cannot reach xenstored: ${failures.join('; ')}`);
}
