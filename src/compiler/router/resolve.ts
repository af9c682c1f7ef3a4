/** A Router's subnets and routes, with what their words stand for; what is wrong with them is said. */
import { type At, say, seen } from '../at.js';
import type { DiagnosticCode } from '../diagnostic.js';
import { portLabel } from '../ports.js';
import type { Scope } from '../scope.js';
import { Networks } from './networks.js';
import {
  type Address,
  addressText,
  bitsOf,
  contains,
  isLinkLocal,
  isNoHost,
  isStation,
  lastOf,
  linkLocalOf,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixText,
} from './prefix.js';

export interface Gateway extends Prefix {
  readonly at: At;
}
export interface Attachment {
  readonly at: At;
  readonly port: number;
  readonly label: string;
  readonly vlan: number | undefined;
}
export interface Host {
  readonly at: At;
  readonly port: number | undefined;
  readonly mac: string;
  readonly addresses: readonly Address[];
}
export interface Subnet {
  readonly at: At;
  readonly name: string;
  /** From 1. */
  readonly number: number;
  readonly mac: string;
  readonly gateways: readonly Gateway[];
  /** Where it has IPv6. */
  readonly linkLocal: Address | undefined;
  readonly attachments: readonly Attachment[];
  readonly hosts: readonly Host[];
  /** Bytes of an IP packet; undefined: as long as frames can be. */
  readonly mtu: number | undefined;
}
export interface Route {
  readonly at: At;
  readonly to: Prefix;
  /** Undefined: nowhere. */
  readonly via: { readonly address: Address; readonly subnet: Subnet } | undefined;
  /** Who sends there is told that it is prohibited. */
  readonly rejects: boolean;
}
export interface Routing {
  readonly subnets: readonly Subnet[];
  readonly routes: readonly Route[];
}

/** The subnet that an address is in. */
type SubnetOf = (address: Address) => Subnet | undefined;

/** RFC 8200 §5. */
const MTU_MIN_IPV6 = 1280;

const quoted = (at: At): string => JSON.stringify(at.value);

export class Resolver {
  readonly #subnets: Subnet[] = [];
  readonly #networks = new Networks<Gateway>();
  /** Gateways and hosts by their addresses, ports with their tags, names: what there can be one of. */
  readonly #taken = new Map<string, At>();

  constructor(
    readonly spec: At,
    readonly scope: Scope,
    /** The router's MAC address where none is written. */
    readonly fallbackMac: string,
  ) {}

  resolve(): Routing {
    const mac = this.#mac(this.spec.key('mac')) ?? this.fallbackMac;
    for (const [index, at] of this.spec.key('subnets').each().entries()) this.#subnet(at, index + 1, mac);
    // Hosts are looked at when all gateways are known.
    const subnets = this.#subnets.map((subnet) => ({
      ...subnet,
      hosts: subnet.at
        .key('hosts')
        .each()
        .flatMap((at) => this.#host(at, subnet) ?? []),
    }));
    const byGateway = new Map(subnets.flatMap((subnet) => subnet.gateways.map((one) => [one, subnet] as const)));
    const subnetOf = (address: Address) => {
      const gateway = this.#networks.find(address);
      return gateway === undefined ? undefined : byGateway.get(gateway);
    };
    const routes = this.spec
      .key('routes')
      .each()
      .flatMap((at) => this.#route(at, subnetOf) ?? []);
    return { subnets, routes };
  }

  #complain(at: At, message: string, code: DiagnosticCode = 'value', other?: At): undefined {
    const related = other === undefined ? {} : { related: [seen(other, 'the other one')] };
    say(this.scope.diagnostics, at, code, message, related);
    return undefined;
  }

  /** False, and said, where there is one already. */
  #take(key: string, at: At, message: string): boolean {
    const other = this.#taken.get(key);
    if (other !== undefined) this.#complain(at, message, 'duplicate', other);
    else this.#taken.set(key, at);
    return other === undefined;
  }

  #mac(at: At): string | undefined {
    if (at.value === undefined) return undefined;
    const text = String(at.value);
    if (isStation(text)) return text.toLowerCase();
    return this.#complain(at, `${quoted(at)} is no MAC address of a station, like 02:00:00:00:00:01`);
  }

  #subnet(at: At, number: number, fallback: string): void {
    const name = String(at.key('name').value);
    if (!this.#take(`subnet ${name}`, at.key('name'), `there are two subnets ${JSON.stringify(name)}`)) return;
    const mac = this.#mac(at.key('mac')) ?? fallback;
    const gateways = at
      .key('gateway')
      .each()
      .flatMap((one) => this.#gateway(one, name) ?? []);
    const attachments = at
      .key('ports')
      .each()
      .flatMap((one) => this.#attachment(one, name) ?? []);
    const linkLocal = gateways.some(({ family }) => family === 6) ? linkLocalOf(mac) : undefined;
    this.#subnets.push({
      at,
      name,
      number,
      mac,
      gateways,
      linkLocal,
      attachments,
      hosts: [],
      mtu: this.#mtu(at, linkLocal),
    });
  }

  #mtu(subnet: At, linkLocal: Address | undefined): number | undefined {
    const at = subnet.key('mtu');
    const mtu = at.value as number | undefined;
    if (mtu !== undefined && mtu < MTU_MIN_IPV6 && linkLocal !== undefined)
      return this.#complain(at, `IPv6 needs an MTU of ${MTU_MIN_IPV6} bytes at least`);
    return mtu;
  }

  #gateway(at: At, subnet: string): Gateway | undefined {
    const gateway = parsePrefix(String(at.value));
    if (gateway === undefined)
      return this.#complain(at, `${quoted(at)} is no address with a prefix length, like 10.0.1.1/24`);
    if (isLinkLocal(gateway)) return this.#complain(at, 'the router makes its link-local address by itself');
    if (isNoHost(gateway)) return this.#complain(at, `${quoted(at)} is no address of a host`);
    // Networks of two addresses have neither (RFC 3021, RFC 6164).
    if (gateway.family === 4 && gateway.length < 31) {
      if (gateway.value === networkOf(gateway).value)
        return this.#complain(at, `${quoted(at)} is the network itself; the router needs an address in it`);
      if (gateway.value === lastOf(gateway))
        return this.#complain(at, `${quoted(at)} is the broadcast address; the router needs another`);
    }
    const found = { ...gateway, at };
    const other = this.#networks.add(found, subnet);
    if (other !== undefined) {
      const message = `${prefixText(gateway)} and ${prefixText(other)} have addresses in common: each is in one subnet only`;
      return this.#complain(at, message, 'duplicate', other.at);
    }
    const text = addressText(gateway);
    return this.#take(text, at, `${text} is there twice`) ? found : undefined;
  }

  #attachment(at: At, subnet: string): Attachment | undefined {
    const detailed = isRecord(at.value) && 'port' in at.value;
    const [value] = this.scope.values(detailed ? at.key('port') : at);
    const port = value === undefined ? undefined : this.scope.portNumber(value);
    if (value === undefined || port === undefined) return undefined;
    const vlan = detailed ? (at.key('vlan').value as number | undefined) : undefined;
    const label = value.port === undefined ? value.text : portLabel(value.port);
    const tag = vlan === undefined ? 'without a tag' : `in VLAN ${vlan}`;
    if (!this.#take(`port ${port} ${vlan}`, at, `port ${label} ${tag} is in a subnet already`)) return undefined;
    if (!this.#take(`port ${port} of ${subnet}`, at, `port ${label} is twice in subnet ${subnet}`)) return undefined;
    return { at, port, label, vlan };
  }

  #host(at: At, subnet: Subnet): Host | undefined {
    const written = at.value as { mac?: string; addresses?: readonly string[] };
    const value = at.key('port').value === undefined ? undefined : this.scope.values(at.key('port'))[0];
    const port = value === undefined ? undefined : this.scope.port(value);
    if (at.key('port').value !== undefined && port === undefined) return undefined;
    if (port !== undefined && !subnet.attachments.some((one) => one.port === port.number)) {
      return this.#complain(at.key('port'), `port ${value!.text} is not in subnet ${subnet.name}`, 'name');
    }
    const mac = written.mac === undefined ? port?.mac : this.#mac(at.key('mac'));
    if (mac === undefined) {
      if (written.mac !== undefined) return undefined;
      return this.#complain(at, 'the MAC address of this host is not known: write mac', 'name');
    }
    const given = at.key('addresses');
    if (given.value === undefined && port?.addresses === undefined) {
      return this.#complain(at, 'the addresses of this host are not known: write addresses', 'name');
    }
    const known = (port?.addresses ?? []).flatMap((text) => parseAddress(text) ?? []);
    // Of what is known of a port only what is of this subnet is meant.
    const addresses =
      given.value === undefined
        ? known.filter((address) => subnet.gateways.some((gateway) => contains(gateway, address)))
        : given.each().flatMap((one) => this.#hostAddress(one, subnet) ?? []);
    return { at, port: port?.number, mac: mac.toLowerCase(), addresses };
  }

  #hostAddress(at: At, subnet: Subnet): Address | undefined {
    const address = parseAddress(String(at.value));
    if (address === undefined) return this.#complain(at, `${quoted(at)} is no IP address`);
    if (!subnet.gateways.some((gateway) => contains(gateway, address))) {
      const networks = subnet.gateways.map(prefixText).join(' and ');
      return this.#complain(at, `${addressText(address)} is not in subnet ${subnet.name}, which is ${networks}`);
    }
    const text = addressText(address);
    return this.#take(text, at, `${text} is there twice`) ? address : undefined;
  }

  #route(at: At, subnetOf: SubnetOf): Route | undefined {
    const to = this.#destination(at.key('to'), subnetOf);
    if (to === undefined) return undefined;
    const via = at.key('via');
    const rejects = at.key('reject').value === true;
    if (via.value === undefined) return { at, to, via: undefined, rejects };
    const hop = this.#hop(via, to, subnetOf);
    return hop === undefined ? undefined : { at, to, via: hop, rejects };
  }

  #destination(at: At, subnetOf: SubnetOf): Prefix | undefined {
    const to = parsePrefix(String(at.value));
    if (to === undefined) return this.#complain(at, `${quoted(at)} is no prefix, like 192.168.0.0/16`);
    if (networkOf(to).value !== to.value) {
      say(this.scope.diagnostics, at, 'value', `${quoted(at)} has bits beyond its length; perhaps ${prefixText(to)}`, {
        suggestion: prefixText(to),
      });
      return undefined;
    }
    const connected = subnetOf(to);
    if (connected?.gateways.some((one) => prefixText(one) === prefixText(to)))
      return this.#complain(at, `${prefixText(to)} is subnet ${connected.name} itself`, 'duplicate', connected.at);
    return this.#take(`route ${prefixText(to)}`, at, `there are two routes to ${prefixText(to)}`) ? to : undefined;
  }

  #hop(at: At, to: Prefix, subnetOf: SubnetOf): Route['via'] {
    const address = parseAddress(String(at.value));
    if (address === undefined) return this.#complain(at, `${quoted(at)} is no IP address`);
    if (address.family !== to.family)
      return this.#complain(at, `the next hop of ${prefixText(to)} must be an address of ${bitsOf(to.family)} bits`);
    const subnet = subnetOf(address);
    if (subnet === undefined) return this.#complain(at, `${addressText(address)} is in none of the subnets`);
    if (subnet.gateways.some(({ value }) => value === address.value))
      return this.#complain(at, `${addressText(address)} is the router itself`);
    return { address, subnet };
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
