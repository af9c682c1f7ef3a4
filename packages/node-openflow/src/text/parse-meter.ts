/** Meters: 'meter=1 kbps burst stats bands=type=drop rate=1000 burst_size=10' (ovs-ofctl(8), "Meter Syntax"). */
import { OFPM, OFPMC, OFPMF } from '../of13/constants.js';
import type { MeterMod } from '../types/message.js';
import type { MeterBand } from '../types/structures.js';
import { parsing, TextFailure, type TextResult, unknownWord } from './error.js';
import { u8, u32 } from './numbers.js';
import { type KeyValue, keyValues, lookUp, type Span, slice, span } from './tokens.js';

export type MeterText = Omit<MeterMod, 'version' | 'xid'>;
export type MeterCommand = 'add' | 'modify' | 'delete';

const commands: Readonly<Record<MeterCommand, number>> = {
  add: OFPMC.ADD,
  modify: OFPMC.MODIFY,
  delete: OFPMC.DELETE,
};
const flags: Readonly<Record<string, number>> = {
  kbps: OFPMF.KBPS,
  pktps: OFPMF.PKTPS,
  burst: OFPMF.BURST,
  stats: OFPMF.STATS,
};
const named: Readonly<Record<string, number>> = { all: OFPM.ALL, controller: OFPM.CONTROLLER, slowpath: OFPM.SLOWPATH };

function meterId(value: Span): number {
  const special = lookUp(named, value.text);
  if (special !== undefined) return special;
  const id = u32(value, 'meter');
  if (id === 0 || id > OFPM.MAX) throw new TextFailure(`${value.text} is no number of a meter`, value.at);
  return id;
}

interface Band {
  readonly at: number;
  readonly type: 'drop' | 'dscp_remark';
  rate: number;
  burstSize: number;
  precLevel: number;
}

function takeBandWord({ key, value }: KeyValue, bands: Band[]): void {
  if (key.text === 'type') {
    if (value.text !== 'drop' && value.text !== 'dscp_remark') {
      throw unknownWord('type of band', value.text, value.at, ['drop', 'dscp_remark']);
    }
    bands.push({ at: key.at, type: value.text, rate: 0, burstSize: 0, precLevel: 0 });
    return;
  }
  const band = bands.at(-1);
  if (band === undefined) throw new TextFailure('a band begins with type=', key.at);
  if (key.text === 'rate') band.rate = u32(value, 'rate');
  else if (key.text === 'burst_size') band.burstSize = u32(value, 'burst_size');
  else if (key.text === 'prec_level') band.precLevel = u8(value, 'prec_level');
  else throw unknownWord('word', key.text, key.at, ['type', 'rate', 'burst_size', 'prec_level']);
}

function bandOf({ at, type, rate, burstSize, precLevel }: Band, burst: boolean): MeterBand {
  if (rate === 0) throw new TextFailure('a band needs a rate', at);
  if (burst !== (burstSize !== 0))
    throw new TextFailure('a band has a burst_size if and only if the meter has burst', at);
  if ((type === 'dscp_remark') !== (precLevel !== 0)) {
    throw new TextFailure('a band has a prec_level if and only if it is of type dscp_remark', at);
  }
  return type === 'drop' ? { type, rate, burstSize } : { type, rate, burstSize, precLevel };
}

function bandsOf(text: Span, burst: boolean): MeterBand[] {
  const bands: Band[] = [];
  for (const word of keyValues(text)) takeBandWord(word, bands);
  if (bands.length === 0) throw new TextFailure('a meter needs a band', text.at);
  return bands.map((band) => bandOf(band, burst));
}

function meterOf(text: Span, command: MeterCommand): MeterText {
  const withBands = command !== 'delete';
  const at = withBands ? text.text.indexOf('band') : -1;
  const equals = at < 0 ? -1 : text.text.indexOf('=', at);
  if (withBands && equals < 0) throw new TextFailure('there must be bands=', text.at + text.text.length);
  let id: number | undefined;
  let set = 0;
  for (const { key, value } of keyValues(withBands ? slice(text, 0, at) : text)) {
    const flag = withBands ? lookUp(flags, key.text) : undefined;
    if (flag !== undefined) set |= flag;
    else if (key.text === 'meter') id = meterId(value);
    else throw unknownWord('word', key.text, key.at, ['meter', ...Object.keys(flags)]);
  }
  if (id === undefined) throw new TextFailure('there must be meter=', text.at);
  if (withBands && set === 0) throw new TextFailure('a meter is in kbps or pktps', text.at);
  const bands = withBands ? bandsOf(slice(text, equals + 1), (set & OFPMF.BURST) !== 0) : [];
  return { type: 'meter_mod', command: commands[command], flags: set, meterId: id, bands };
}

/** What add-meter takes; `command` for what mod-meter and del-meter take. */
export function parseMeter(text: string, options: { readonly command?: MeterCommand } = {}): TextResult<MeterText> {
  return parsing(() => meterOf(span(text), options.command ?? 'add'));
}

const idNames: ReadonlyMap<number, string> = new Map(Object.entries(named).map(([name, id]) => [id, name]));

function bandText(band: MeterBand, burst: boolean): string {
  const type = band.type === 'experimenter' ? '65535' : band.type === 'unknown' ? `${band.code}` : band.type;
  const size = burst ? ` burst_size=${band.burstSize}` : '';
  const level = band.type === 'dscp_remark' ? ` prec_level=${band.precLevel}` : '';
  return `type=${type} rate=${band.rate}${size}${level}`;
}

/** As ovs-ofctl prints it, in one line: 'meter=1 kbps bands= type=drop rate=1000'. */
export function formatMeter(meter: Pick<MeterMod, 'meterId' | 'flags' | 'bands'>): string {
  const burst = (meter.flags & OFPMF.BURST) !== 0;
  const words = Object.entries(flags)
    .filter(([, flag]) => (meter.flags & flag) !== 0)
    .map(([name]) => name);
  const bands = meter.bands.map((band) => bandText(band, burst));
  return [`meter=${idNames.get(meter.meterId) ?? meter.meterId}`, ...words, 'bands=', ...bands].join(' ');
}
