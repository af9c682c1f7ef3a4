/** Versions of OpenFlow by the names Open vSwitch has for them (ovs-vswitchd.conf.db(5), "protocols"). */
import { supportedVersions } from 'node-openflow';

const wireVersions: ReadonlyMap<string, number> = new Map([
  ['OpenFlow10', 1],
  ['OpenFlow11', 2],
  ['OpenFlow12', 3],
  ['OpenFlow13', 4],
  ['OpenFlow14', 5],
  ['OpenFlow15', 6],
]);

/** What a switch may be told to speak. */
export const PROTOCOLS: readonly string[] = [...wireVersions]
  .filter(([, version]) => supportedVersions.includes(version))
  .map(([name]) => name);

/** Wire versions of names out of {@link PROTOCOLS}, separated by commas; undefined where one is not among them. */
export function parseProtocols(text: string): readonly number[] | undefined {
  const names = text.split(',');
  return names.every((name) => PROTOCOLS.includes(name)) ? names.map((name) => wireVersions.get(name)!) : undefined;
}
