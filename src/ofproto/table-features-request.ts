/** Requests that set table features (OpenFlow 1.3.5 §7.3.5.5, 1.5.1 §7.3.5.18). */
import { neutralPair, of13, of14, of15, type TableFeatureProperty, type TableFeatures } from 'node-openflow';
import type { Datapath } from '../datapath/datapath.js';
import { tables } from '../datapath/schema.gen.js';
import { flowsSuit } from './egress-flows.js';
import { firstEgressAsked } from './egress-tables.js';
import { FLOWS_PER_TABLE_MAX } from './limits.js';
import { type OfError, tableFeaturesFailed } from './of-error.js';
import { tableFeatures } from './table-features.js';
import type { TableSettings } from './table-settings.js';
import { OF14, OF15 } from './versions.js';

const { OFPTFFC, OFPTC } = of13;
const { OFPTFC } = of15;
type Command = number;

/**
 * Carries a request out, all of it or nothing; returns why it was refused. Every table can do at least what is asked of
 * it, or the request is refused, so that of what is said only name and limit change a table. Another first egress table is
 * refused while there are flows that its rules forbid.
 */
export function setTableFeatures(
  datapath: Datapath,
  settings: TableSettings,
  version: number,
  entries: readonly TableFeatures[],
): OfError | undefined {
  const commands = new Set(entries.map(({ command = OFPTFC.REPLACE }) => command));
  const [command] = commands;
  if (command === undefined || commands.size > 1 || command > OFPTFC.DISABLE) {
    return neutralPair('OFPTFFC_BAD_COMMAND');
  }
  const named = new Set(entries.map(({ tableId }) => tableId));
  if (named.size < entries.length) return tableFeaturesFailed(OFPTFFC.BAD_TABLE);
  const wrong = entries
    .map((entry) => check(settings, version, command, entry))
    .find((each): each is OfError => each !== undefined);
  if (wrong !== undefined) return wrong;
  const saysEgress = version >= OF15 && (command === OFPTFC.REPLACE || command === OFPTFC.MODIFY);
  const firstEgress = saysEgress ? firstEgressAsked(entries, settings.firstEgress) : settings.firstEgress;
  if (typeof firstEgress !== 'number') return firstEgress;
  const removed = removedBy(settings, command, named);
  // Packets begin at table 0.
  if (removed.includes(0)) return tableFeaturesFailed(OFPTFFC.EPERM);
  // What leaves by a port must not be lost in a table that is no more.
  const first = removed.includes(firstEgress) ? 0 : firstEgress;
  const moves = first !== 0 && first !== settings.firstEgress;
  if (moves && !flowsSuit(datapath, first, [...removed, ...emptied(settings, entries)]))
    return tableFeaturesFailed(of15.OFPTFFC.BAD_FEATURES);
  settings.firstEgress = first;
  for (const tableId of removed) {
    settings.clear(tableId);
    settings.set(tableId, { inPipeline: false });
  }
  for (const entry of command === OFPTFC.DISABLE ? [] : entries) carryOut(settings, command, entry);
  settings.look();
  return undefined;
}

function removedBy(settings: TableSettings, command: Command, named: ReadonlySet<number>): number[] {
  if (command === OFPTFC.REPLACE) return settings.ids().filter((id) => !named.has(id));
  return command === OFPTFC.DISABLE ? [...named] : [];
}

/** Tables whose flows go, as their features change. */
const emptied = (settings: TableSettings, entries: readonly TableFeatures[]): number[] =>
  entries.filter((entry) => changes(settings, entry)).map(({ tableId }) => tableId);

const changes = (settings: TableSettings, { tableId, maxEntries }: TableFeatures): boolean =>
  settings.of(tableId).maxEntries !== maxEntries;

function carryOut(settings: TableSettings, command: Command, entry: TableFeatures): void {
  const { tableId, name, maxEntries } = entry;
  if (command === OFPTFC.ENABLE) {
    settings.set(tableId, { inPipeline: true });
    return;
  }
  if (changes(settings, entry)) settings.clear(tableId);
  settings.set(tableId, { inPipeline: true, maxEntries, ...(name === '' ? {} : { name }) });
}

function check(settings: TableSettings, version: number, command: Command, asked: TableFeatures): OfError | undefined {
  const { tableId } = asked;
  if (tableId >= tables) return tableFeaturesFailed(OFPTFFC.BAD_TABLE);
  if (command === OFPTFC.ENABLE) return undefined;
  if (command !== OFPTFC.REPLACE && !settings.has(tableId)) return tableFeaturesFailed(OFPTFFC.BAD_TABLE);
  if (command === OFPTFC.DISABLE) return undefined;
  const [able] = tableFeatures(version, settings, [tableId], 0);
  const isNew = version >= OF15;
  if (asked.maxEntries > FLOWS_PER_TABLE_MAX) return isNew ? neutralPair('OFPTFFC_BAD_MAX_ENT') : badArgument;
  const config = OFPTC.DEPRECATED_MASK | (version < OF14 ? 0 : of14.OFPTC.EVICTION | of14.OFPTC.VACANCY_EVENTS);
  if ((asked.config & ~config) !== 0) return isNew ? neutralPair('OFPTFFC_BAD_CAPA') : badArgument;
  return asked.properties
    .map((property) => checkProperty(version, property, able!.properties))
    .find((each) => each !== undefined);
}

const badArgument = tableFeaturesFailed(OFPTFFC.BAD_ARGUMENT);

function checkProperty(
  version: number,
  asked: TableFeatureProperty,
  able: readonly TableFeatureProperty[],
): OfError | undefined {
  if (asked.type === 'experimenter' || asked.type === 'experimenter_miss' || asked.type === 'unknown') {
    return version < OF14 ? tableFeaturesFailed(OFPTFFC.BAD_TYPE) : neutralPair('OFPBPC_BAD_EXPERIMENTER');
  }
  // The table-miss flow can do what every flow can.
  const type = asked.type.replace(/_miss$/, '');
  const known = able.find((property) => property.type === type);
  const can = new Set(known === undefined ? [] : namesOf(known).flatMap(withoutMask));
  return namesOf(asked).every((name) => can.has(name)) ? undefined : badArgument;
}

/** What a property lists, as text. */
function namesOf(property: TableFeatureProperty): string[] {
  if (!('ids' in property)) return 'oxms' in property ? property.oxms.map((oxm) => JSON.stringify(oxm)) : [];
  return property.ids.map((id) => {
    if (typeof id === 'number') return `${id}`;
    if ('type' in id) return id.type;
    const field = 'field' in id ? `${id.field}` : JSON.stringify(id);
    return 'hasMask' in id && id.hasMask ? `${field}/mask` : field;
  });
}

/** Who can match a field with a mask can match it without. */
const withoutMask = (name: string): string[] => (name.endsWith('/mask') ? [name, name.slice(0, -5)] : [name]);
