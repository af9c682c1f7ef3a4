/**
 * `--controller` and `--listen [BRIDGE/]TARGET[,OpenFlowNN…]`: where controllers are or may come from. `--protocols
 * [BRIDGE/]OpenFlowNN[,OpenFlowNN…]`: what is spoken with those that do not say.
 */
import { InvalidArgumentError } from 'commander';
import { type Endpoint, PROTOCOLS, parseProtocols, TargetError } from '../openflow/index.js';

/** Of a bridge; undefined: of every one. */
interface OfBridge {
  readonly bridge: string | undefined;
}

export interface EndpointOption extends OfBridge {
  readonly endpoint: Endpoint;
}

export interface ProtocolsOption extends OfBridge {
  /** Wire versions. */
  readonly versions: readonly number[];
}

// A target has a colon before any slash, so that a bridge can stand before it.
const prefix = /^(?:([A-Za-z0-9_-]+)\/)?(.*)$/s;

/** `parse` throws a TargetError for what is no target. */
export function endpointOption(parse: (target: string) => unknown): (text: string) => EndpointOption {
  return (text) => {
    const [, bridge, rest] = prefix.exec(text)!;
    const [, target, names] = /^(.*?)((?:,OpenFlow[^,/]*)*)$/is.exec(rest!)!;
    try {
      parse(target!);
    } catch (error) {
      if (error instanceof TargetError) throw new InvalidArgumentError(`${error.message}.`);
      throw error;
    }
    return { bridge, endpoint: names === '' ? target! : { target: target!, versions: protocols(names!.slice(1)) } };
  };
}

export function protocolsOption(text: string): ProtocolsOption {
  const [, bridge, names] = prefix.exec(text)!;
  return { bridge, versions: protocols(names!) };
}

function protocols(names: string): readonly number[] {
  const versions = parseProtocols(names);
  if (versions === undefined) throw new InvalidArgumentError(`expected one or more of ${PROTOCOLS.join(',')}.`);
  return versions;
}
