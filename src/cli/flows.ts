/** `xvif flows [BRIDGE]`: the flow entries in the words of ovs-ofctl, counters included. */
import type { Flow } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { formatJson } from './units.js';

/** Bridges are named only where there are several. */
export function formatFlows(flows: readonly Flow[]): string {
  if (flows.length === 0) return 'no flows';
  const several = new Set(flows.map(({ bridge }) => bridge)).size > 1;
  return flows.map((flow) => `${several ? `${flow.bridge}: ` : ''}${flow.text}${whose(flow)}`).join('\n');
}

/** The rule of a document behind a flow; of an owner that xvifd keeps no documents of, its number. */
function whose({ owner, rule, file, line }: Flow): string {
  if (owner === '') return '';
  return rule === '' ? `  # owner ${owner}` : `  # ${owner}: ${file}:${line} ${rule}`;
}

export async function flows({ api, json, print }: CommandContext, bridge: string): Promise<void> {
  const reply = await api.call('listFlows', { bridge });
  print(json ? formatJson(reply.flows) : formatFlows(reply.flows));
}
