/**
 * xenopsd (XCP-ng, XenServer) writes no `bridge` key into the backend's directory; it names the bridge, and what the
 * administrator set, in a directory of its own, /xapi/<uuid of the VM>/private/vif/<handle>.
 */
import { isXenstoreError, type XenstoreClient } from '../xenstore/index.js';
import type { VifId } from './names.js';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** Undefined where there is no xenopsd, or in a driver domain that may not look. Rejects with XenstoreError. */
export async function readXapiKey(
  store: XenstoreClient,
  { domid, handle }: VifId,
  key: string,
): Promise<string | undefined> {
  try {
    const vm = await store.readOrUndefined(`/local/domain/${domid}/vm`);
    const uuid = new RegExp(`^/vm/(${UUID})$`).exec(vm ?? '')?.[1];
    if (uuid === undefined) return undefined;
    return await store.readOrUndefined(`/xapi/${uuid}/private/vif/${handle}/${key}`);
  } catch (error) {
    if (isXenstoreError(error, 'EACCES')) return undefined;
    throw error;
  }
}
