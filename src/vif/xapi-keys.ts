/**
 * xenopsd (XCP-ng, XenServer) writes no `bridge` key into the backend's directory; it names the bridge, and what the
 * administrator set, in a directory of its own, /xapi/<uuid of the VM>/private/vif/<handle>.
 */
import { isXenstoreError, type XenstoreClient } from '../xenstore/index.js';
import type { VifId } from './names.js';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/**
 * Reads keys of one look at the vif: the directory is looked for once, and where there is no xenopsd nothing more is
 * asked. Keys are undefined there, and in a driver domain that may not look. Rejects with XenstoreError.
 */
export function xapiReader(
  store: Pick<XenstoreClient, 'readOrUndefined'>,
  { domid, handle }: VifId,
): (key: string) => Promise<string | undefined> {
  let directory: Promise<string | undefined> | undefined;
  const find = async () => {
    const vm = await permitted(store, `/local/domain/${domid}/vm`);
    const uuid = new RegExp(`^/vm/(${UUID})$`).exec(vm ?? '')?.[1];
    if (uuid === undefined) return undefined;
    // Who may not look at the directory may still be meant to read keys below it.
    if ((await permitted(store, `/xapi/${uuid}`, '')) === undefined) return undefined;
    return `/xapi/${uuid}/private/vif/${handle}`;
  };
  return async (key) => {
    directory ??= find();
    const path = await directory;
    return path === undefined ? undefined : permitted(store, `${path}/${key}`);
  };
}

/** What the toolstack calls the domain; undefined where it does not say, or we may not look. */
export const readVmName = (store: Pick<XenstoreClient, 'readOrUndefined'>, domid: number) =>
  permitted(store, `/local/domain/${domid}/name`);

async function permitted(
  store: Pick<XenstoreClient, 'readOrUndefined'>,
  path: string,
  unreadable?: string,
): Promise<string | undefined> {
  try {
    return await store.readOrUndefined(path);
  } catch (error) {
    if (isXenstoreError(error, 'EACCES')) return unreadable;
    throw error;
  }
}
