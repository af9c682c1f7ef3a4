/** What a bridge knows of its ports, in the words by which documents name them. */
import type { PortIdentity } from '../bridge/bridge.js';
import type { KnownPort } from '../compiler/index.js';

export const knownPort = ({ number, name, mac, guest, addresses }: PortIdentity): KnownPort => ({
  number,
  name,
  mac,
  vm: guest?.vm,
  device: guest?.device,
  uuid: guest?.uuid,
  ...(addresses.length === 0 ? {} : { addresses }),
});
