/** Programs into the simulator: the ports that they speak of, then meters, groups and flows. */
import { type Action, of13 } from 'node-openflow';
import { type KnownPort, reservedPorts } from '../compiler/ports.js';
import type { Program } from '../compiler/program.js';

/** Those that are known and those that something is sent to or comes from. */
export function portsOf(program: Program): Set<number> {
  const ports = new Set(program.ports.ports.map(({ number }) => number));
  ports.add(reservedPorts.LOCAL!);
  const note = (actions: readonly Action[]): void => {
    for (const action of actions) {
      if (action.type === 'output') ports.add(action.port);
      if (action.type === 'nx_clone') note(action.actions);
    }
  };
  for (const { mod } of program.flows) {
    for (const one of mod.match) if (one.field === 'in_port') ports.add(Buffer.from(one.value).readUInt32BE());
    for (const one of mod.instructions) if ('actions' in one) note(one.actions);
  }
  for (const { mod } of program.groups) for (const { actions } of mod.buckets) note(actions);
  for (const { outputs } of program.tests) for (const { number } of outputs) ports.add(number);
  return new Set([...ports].filter((port) => port <= of13.OFPP.MAX || port === reservedPorts.LOCAL));
}

export function macOf(ports: readonly KnownPort[], port: number): bigint | undefined {
  const mac = ports.find(({ number }) => number === port)?.mac;
  return mac === undefined ? undefined : BigInt(`0x${mac.replaceAll(':', '')}`);
}

/** As people call a port; undefined: it has no name. */
export function portName(ports: readonly KnownPort[], port: number): string | undefined {
  const known = ports.find(({ number }) => number === port);
  if (known?.vm !== undefined) return `${known.vm}/${known.device ?? 0}`;
  return known?.name ?? Object.entries(reservedPorts).find(([, number]) => number === port)?.[0];
}
