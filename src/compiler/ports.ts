/** Ports by what people know of them: VM and device number, uuid, MAC address, name. */
import type { PortByWords, PortValue } from './schema/common.js';

/** A port as a switch, or a file, tells of it. */
export interface KnownPort {
  readonly number: number;
  readonly name?: string | undefined;
  readonly vm?: string | undefined;
  /** Default 0. */
  readonly device?: number | undefined;
  readonly uuid?: string | undefined;
  readonly mac?: string | undefined;
  /** IP addresses. */
  readonly addresses?: readonly string[] | undefined;
}

/** Finds ports when a file is compiled: late, so that it can be done again when a guest is plugged anew. */
export interface PortResolver {
  /** The port, or undefined where none is called so. `existing`: no number is made up for it. */
  find(words: PortByWords, existing?: boolean): KnownPort | undefined;
  /** What ports are called, for hints. */
  readonly names: readonly string[];
  readonly ports: readonly KnownPort[];
}

/** Ports that OpenFlow has for itself (OpenFlow 1.3.5 §4.5), by their names in ovs-ofctl. */
export const reservedPorts: Readonly<Record<string, number>> = {
  IN_PORT: 0xffff_fff8,
  NORMAL: 0xffff_fffa,
  FLOOD: 0xffff_fffb,
  ALL: 0xffff_fffc,
  CONTROLLER: 0xffff_fffd,
  LOCAL: 0xffff_fffe,
};

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
export const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/** What a short form says: `3`, `web01/0`, a uuid, a MAC address, or a name. */
export function wordsOf(value: PortValue): PortByWords {
  if (typeof value === 'object') return value;
  if (typeof value === 'number' || /^\d+$/.test(value)) return { number: Number(value) };
  if (UUID.test(value)) return { uuid: value };
  if (MAC.test(value)) return { mac: value };
  const [, vm, device] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  return vm === undefined ? { name: value } : { vm, device: Number(device) };
}

/** The shortest way to say it. */
export function portLabel({ vm, device, uuid, mac, name, number }: PortByWords): string {
  if (vm !== undefined) return `${vm}/${device ?? 0}`;
  return uuid ?? mac ?? name ?? String(number);
}

const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

function isCalled(port: KnownPort, { vm, device, uuid, mac, name, number }: PortByWords): boolean {
  if (vm !== undefined) return port.vm === vm && (port.device ?? 0) === (device ?? 0);
  if (uuid !== undefined) return same(port.uuid, uuid);
  if (mac !== undefined) return same(port.mac, mac);
  // A VM's name alone is that of its first interface, unless a port is called so.
  if (name !== undefined) return port.name === name;
  return port.number === number;
}

/** A list of ports: from a file, from the command line, or from a switch. */
export class PortList implements PortResolver {
  /** By what they were asked for; many rules name the same ports. */
  readonly #found = new Map<string, KnownPort | undefined>();

  constructor(readonly ports: readonly KnownPort[]) {}

  find(words: PortByWords): KnownPort | undefined {
    const { vm, device, uuid, mac, name, number } = words;
    const key = number === undefined ? JSON.stringify([vm, device, uuid, mac, name]) : `${number}`;
    if (this.#found.has(key)) return this.#found.get(key);
    const found = this.#look(words);
    this.#found.set(key, found);
    return found;
  }

  #look(words: PortByWords): KnownPort | undefined {
    const found = this.ports.find((port) => isCalled(port, words));
    if (found !== undefined) return found;
    if (words.name !== undefined) return this.ports.find((port) => isCalled(port, { vm: words.name }));
    // A number is one, whether or not there is a port now.
    return words.number === undefined ? undefined : { number: words.number };
  }

  get names(): readonly string[] {
    return this.ports.flatMap(({ name, vm, device, uuid, mac }) =>
      [name, vm === undefined ? undefined : `${vm}/${device ?? 0}`, uuid, mac].filter((word) => word !== undefined),
    );
  }
}

/** For checks without a switch: who is not known gets a number that nobody else has. */
export class PlaceholderPorts implements PortResolver {
  readonly #known: PortList;
  readonly #made = new Map<string, KnownPort>();
  readonly #taken: Set<number>;
  #next = 1;

  constructor(known: readonly KnownPort[] = []) {
    this.#taken = new Set(known.map(({ number }) => number));
    this.#known = new PortList(known);
  }

  find(words: PortByWords, existing = false): KnownPort | undefined {
    const label = portLabel(words);
    const known = this.#known.find(words) ?? this.#made.get(label);
    if (known !== undefined || existing) return known;
    const made = this.#make(words);
    this.#made.set(label, made);
    return made;
  }

  #make(words: PortByWords): KnownPort {
    while (this.#taken.has(this.#next)) this.#next++;
    const number = this.#next++;
    const mac = words.mac ?? `02:00:5e:00:${hexByte(number >> 8)}:${hexByte(number & 0xff)}`;
    return { ...words, number, mac };
  }

  /** Those that were made up. */
  get made(): readonly string[] {
    return [...this.#made.keys()];
  }
  get names(): readonly string[] {
    return [...this.#known.names, ...this.#made.keys()];
  }
  get ports(): readonly KnownPort[] {
    return [...this.#known.ports, ...this.#made.values()];
  }
}

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');
