/** `--port [BRIDGE/]NAME=KIND[:DEVICE][,OPTION…]`: a port that is not a guest's. */
import { InvalidArgumentError } from 'commander';
import type { PortSpec } from '../datapath/datapath.js';

export interface PortOption {
  /** Undefined: the first bridge. */
  readonly bridge: string | undefined;
  readonly name: string;
  readonly spec: PortSpec;
}

const forms =
  'expected [BRIDGE/]NAME=packet:DEVICE, NAME=tap:DEVICE[,netns=NAMESPACE], ' +
  'NAME=pcap:[INPUT][,loop][,output=FILE] or NAME=null.';

export function portOption(text: string): PortOption {
  const match = /^(?:([A-Za-z0-9._-]+)\/)?([A-Za-z0-9._-]{1,15})=([a-z]+)(?::(.*))?$/.exec(text);
  if (match === null) throw new InvalidArgumentError(forms);
  const [, bridge, name, kind, rest] = match;
  const [device = '', ...options] = (rest ?? '').split(',');
  const spec = portSpec(kind!, device, options);
  if (spec === undefined) throw new InvalidArgumentError(forms);
  return { bridge, name: name!, spec };
}

function portSpec(kind: string, device: string, options: readonly string[]): PortSpec | undefined {
  switch (kind) {
    case 'null':
      return device === '' && options.length === 0 ? { kind } : undefined;
    case 'packet':
      return device !== '' && options.length === 0 ? { kind, device } : undefined;
    case 'tap': {
      const netns = value(options, 'netns');
      if (device === '' || options.length !== (netns === undefined ? 0 : 1)) return undefined;
      return { kind, device, ...(netns === undefined ? {} : { netns }) };
    }
    case 'pcap': {
      const output = value(options, 'output');
      const loop = options.includes('loop');
      if (options.length !== (output === undefined ? 0 : 1) + (loop ? 1 : 0)) return undefined;
      if (device === '' && (output === undefined || loop)) return undefined;
      return {
        kind,
        loop,
        ...(device === '' ? {} : { input: device }),
        ...(output === undefined ? {} : { output }),
      };
    }
    default:
      return undefined;
  }
}

function value(options: readonly string[], name: string): string | undefined {
  const text = options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
  return text === '' ? undefined : text;
}
