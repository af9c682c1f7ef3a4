/** Gathers what documents are lowered to, and holds what they share: owners, cookies, numbers of groups and meters. */
import { type Instruction, type Match, nicira, type OxmFieldName, type OxmTlv, of13, oxmFacts } from 'node-openflow';
import {
  type FlowText,
  type GroupText,
  type MeterText,
  nearest,
  type PacketKind,
  parseActionsFor,
  parseFlow,
  parseGroup,
  parseMeter,
  type TextResult,
} from 'node-openflow/text';
import type { Labels, Member, Members } from './acl/matches.js';
import { type At, say, seen } from './at.js';
import { type DiagnosticCode, type Diagnostics, diagnosticCodes } from './diagnostic.js';
import { keyOf } from './flow-key.js';
import { groupsUsedBy, usedFirst } from './group-order.js';
import { FLOWS_MAX } from './limits.js';
import type { MappedText } from './mapped-text.js';
import { Numbers, ownerCookie, ownerId } from './owner.js';
import type { PortResolver } from './ports.js';
import type {
  Origin,
  Program,
  ProgramChain,
  ProgramCheck,
  ProgramFlow,
  ProgramGroup,
  ProgramMeter,
  ProgramTable,
  ProgramTest,
} from './program.js';
import type { ProgramRouter } from './router/slow-path.js';
import type { Scope } from './scope.js';
import { AskedInstances } from './service-chain/asked.js';
import { Legs } from './service-chain/legs.js';

/** Group numbers have their owner in the upper 16 bits, so that an owner's groups can be told from others'. */
const GROUPS_PER_OWNER = 0x1_0000;
/** Datapaths have few meters, and small numbers for them. */
const METERS_MAX = 65_535;

interface Owner {
  readonly id: number;
  /** Of its flows, where the rule's part is 0. */
  readonly cookie: bigint;
  readonly rules: Numbers;
  readonly groups: Numbers;
}

export type FlowSettings = Pick<FlowText, 'tableId' | 'priority' | 'idleTimeout' | 'hardTimeout' | 'cookie'>;

export class Builder {
  readonly #flows: ProgramFlow[] = [];
  readonly #groups: ProgramGroup[] = [];
  readonly #meters: ProgramMeter[] = [];
  readonly #tables: ProgramTable[] = [];
  readonly #tests: ProgramTest[] = [];
  readonly #chains: ProgramChain[] = [];
  readonly #routers: ProgramRouter[] = [];
  readonly #checks: ProgramCheck[] = [];
  readonly #owners = new Map<string, Owner>();
  readonly #owned = new Map<number, string>();
  /** Groups of all owners, by their numbers. */
  readonly #groupsTaken = new Map<number, string>();
  readonly #allowed = new Map<string, ReadonlySet<string>>();
  readonly #flowKeys = new Map<string, ProgramFlow>();
  readonly #acls = new Map<string, readonly Member[]>();
  /** Ports of the hops of all chains. */
  readonly legs = new Legs();
  readonly asked = new AskedInstances();
  readonly meterNumbers = new Numbers(1, METERS_MAX);
  /** Tables of documents that have a row of them to themselves, and where that is said. */
  readonly rowTables = new Map<number, At>();

  constructor(
    readonly ports: PortResolver,
    readonly diagnostics: Diagnostics,
    /** The daemon's own agents run where the program is for. */
    readonly localAgents = false,
  ) {}

  /** Registers the owner of a document. */
  owner(metadata: At): string {
    const {
      name,
      owner = name,
      ownerId: chosen,
    } = metadata.value as { name: string; owner?: string; ownerId?: number };
    const id = chosen ?? ownerId(owner);
    const known = this.#owners.get(owner);
    if (known !== undefined && known.id !== id) {
      say(
        this.diagnostics,
        metadata,
        'duplicate',
        `owner ${JSON.stringify(owner)} has the number ${known.id} elsewhere and ${id} here`,
      );
    }
    const holder = this.#owned.get(id);
    if (holder !== undefined && holder !== owner) {
      say(
        this.diagnostics,
        metadata,
        'duplicate',
        `owners ${JSON.stringify(owner)} and ${JSON.stringify(holder)} have the same number ${id}: give one an ownerId`,
      );
    }
    this.#owned.set(id, owner);
    if (known === undefined) {
      const base = id * GROUPS_PER_OWNER;
      const groups = new Numbers(base, base + GROUPS_PER_OWNER - 1, this.#groupsTaken);
      this.#owners.set(owner, { id, cookie: ownerCookie(id), rules: new Numbers(1, 0xffff_ffff), groups });
    }
    return owner;
  }

  groupNumbers(owner: string): Numbers {
    return this.#owners.get(owner)!.groups;
  }

  /** `at`: codes of what is meant so. An unknown one does no harm: documents outlive the versions of this program. */
  allow(document: string, at: At): ReadonlySet<string> {
    const words = at.each();
    for (const word of words) {
      const text = String(word.value);
      if (Object.hasOwn(diagnosticCodes, text)) continue;
      const suggestion = nearest(text, Object.keys(diagnosticCodes));
      const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
      const message = `there is no warning ${JSON.stringify(text)}${hint}`;
      say(this.diagnostics, word, 'name', message, { severity: 'warning', suggestion });
    }
    const allowed = new Set(words.map(({ value }) => String(value)));
    this.#allowed.set(document, allowed);
    return allowed;
  }

  allows(document: string, code: DiagnosticCode): boolean {
    return this.#allowed.get(document)?.has(code) ?? false;
  }

  /** Who is a member of an Acl; other Acls may mean them by its name. */
  acl(name: string, members: readonly Member[]): void {
    this.#acls.set(name, members);
  }

  readonly aclMembers: Members = {
    of: (name) => this.#acls.get(name),
    labelled: (wanted) => [...this.#acls.values()].flat().filter(({ labels }) => hasAll(labels, wanted)),
  };

  table(table: ProgramTable): void {
    this.#tables.push(table);
  }

  test(test: ProgramTest): void {
    this.#tests.push(test);
  }

  chain(chain: ProgramChain): void {
    this.#chains.push(chain);
  }

  router(router: ProgramRouter): void {
    this.#routers.push(router);
  }

  check(check: ProgramCheck): void {
    this.#checks.push(check);
  }

  get tables(): readonly ProgramTable[] {
    return this.#tables;
  }

  /** The same for all flows of a rule. */
  cookie({ owner, document, name }: Origin): bigint {
    const { cookie, rules } = this.#owners.get(owner)!;
    return cookie | BigInt(rules.make(`${document}/${name}`));
  }

  /** A flow as text, without cookie. */
  flow(text: MappedText, origin: Origin, cookie: bigint, scope: Scope): void {
    const parsed = this.#parsed(text, scope, (names) => parseFlow(text.text, { ...names, memory: scope.actions }));
    if (parsed !== undefined) this.#add({ ...parsed, match: withLegalMasks(parsed.match), cookie }, origin);
  }

  /** A flow whose match and instructions are there: as parsing its text would make it. */
  add(origin: Origin, { match, instructions }: Pick<FlowText, 'match' | 'instructions'>, settings: FlowSettings): void {
    const { tableId, priority, idleTimeout, hardTimeout, cookie } = settings;
    // Written out: there are very many of them.
    const mod: FlowText = {
      type: 'flow_mod',
      command: of13.OFPFC.ADD,
      cookie,
      cookieMask: 0n,
      tableId,
      priority,
      idleTimeout,
      hardTimeout,
      flags: 0,
      bufferId: of13.OFP_NO_BUFFER,
      outPort: of13.OFPP.ANY,
      outGroup: of13.OFPG.ANY,
      match,
      instructions,
    };
    this.#add(mod, origin);
  }

  /** The instructions of a flow of this kind; undefined, and not said, where the text is wrong. */
  actions(text: string, kind: PacketKind, table: number, scope: Scope): readonly Instruction[] | undefined {
    const names = {
      port: (name: string) => scope.portByText(name),
      table: (name: string) => scope.names.table.get(name),
    };
    const result = parseActionsFor(text, kind, table, names);
    return result.ok && result.warnings.length === 0 ? result.value : undefined;
  }

  #add(mod: FlowText, origin: Origin): void {
    const key = keyOf(mod);
    const other = this.#flowKeys.get(key);
    if (other !== undefined) {
      // Values of a rule's lists may cover each other.
      if (other.mod.cookie === mod.cookie) return;
      const { at, name } = origin;
      const message = `${name} has the priority and match of ${other.origin.name}: only one of them can be`;
      say(this.diagnostics, at, 'duplicate', message, { related: [seen(other.origin.at, other.origin.name)] });
      return;
    }
    if (this.isFull) {
      say(this.diagnostics, origin.at, 'limit', `more than ${FLOWS_MAX} flows`);
      return;
    }
    const flow = { mod, origin, key };
    this.#flowKeys.set(key, flow);
    this.#flows.push(flow);
  }

  /** There is room for no more flows, which was said. */
  get isFull(): boolean {
    return this.#flows.length >= FLOWS_MAX;
  }

  group(text: MappedText, origin: Origin, scope: Scope): void {
    const mod = this.#parsed<GroupText>(text, scope, (names) => parseGroup(text.text, names));
    if (mod !== undefined) this.#groups.push({ mod, origin });
  }

  meter(text: MappedText, origin: Origin, scope: Scope): void {
    const mod = this.#parsed<MeterText>(text, scope, () => parseMeter(text.text));
    if (mod !== undefined) this.#meters.push({ mod, origin });
  }

  /** Runs a parser of node-openflow's; what it complains of is said at the place that the letters came from. */
  #parsed<T>(
    text: MappedText,
    scope: Scope,
    parse: (names: {
      port: (name: string) => number | undefined;
      table: (name: string) => number | undefined;
    }) => TextResult<T>,
  ): T | undefined {
    let unknownPort: string | undefined;
    const result = parse({
      port: (name) => {
        const number = scope.portByText(name);
        if (number === undefined) unknownPort = name;
        return number;
      },
      table: (name) => scope.names.table.get(name),
    });
    if (result.ok && result.warnings.length === 0) return result.value;
    const origin = text.origin(result.ok ? 0 : result.error.column - 1);
    if (origin === undefined) return result.ok ? result.value : undefined;
    if (result.ok) {
      for (const warning of result.warnings) {
        say(this.diagnostics, origin.at, 'text', warning, { severity: 'warning', range: origin.range });
      }
      return result.value;
    }
    const { message, suggestion } = result.error;
    if (unknownPort !== undefined && message.startsWith('unknown port')) {
      const near = nearest(unknownPort, scope.ports.names);
      const hint = near === undefined ? '' : `; perhaps ${near}`;
      say(this.diagnostics, origin.at, 'name', `there is no port ${JSON.stringify(unknownPort)}${hint}`, {
        range: origin.range,
        suggestion: near,
      });
    } else {
      say(this.diagnostics, origin.at, 'text', message, { range: origin.range, suggestion });
    }
    return undefined;
  }

  program(): Program {
    return {
      flows: this.#flows,
      groups: usedFirst(
        this.#groups,
        ({ mod }) => mod.groupId,
        ({ mod }) => groupsUsedBy(mod.buckets),
      ),
      meters: this.#meters,
      tables: this.#tables,
      tests: this.#tests,
      chains: this.#chains,
      routers: this.#routers,
      checks: this.#checks,
      owners: new Map([...this.#owners].map(([name, { id }]) => [name, id])),
      ports: this.ports,
      allowed: this.#allowed,
    };
  }
}

const maskableTwins: ReadonlyMap<string, OxmFieldName> = new Map(
  nicira.oxmFields.flatMap(({ name, twin, maskable }) =>
    twin === undefined || !maskable ? [] : [[twin, name as OxmFieldName] as const],
  ),
);

/** OpenFlow has no masks for TCP and UDP ports; Nicira's fields of the same meaning have, and strict switches want those. */
export function withLegalMask(one: OxmTlv): OxmTlv {
  if (!('value' in one) || one.mask === undefined || oxmFacts(one.field).maskable) return one;
  return { ...one, field: maskableTwins.get(one.field) ?? one.field };
}

const withLegalMasks = (match: Match): Match =>
  match.some((one) => 'mask' in one && one.mask !== undefined) ? match.map(withLegalMask) : match;

const hasAll = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
