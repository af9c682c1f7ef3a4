/** The documents of a bridge over an Ofproto on the model datapath, with ports that tests plug, and a controller beside. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MultipartRequestBody } from 'node-openflow';
import { formatFlow } from 'node-openflow/text';
import { silentLogger } from '../../../src/base/logger.js';
import type { PortIdentity } from '../../../src/bridge/bridge.js';
import { localTables } from '../../../src/bridge/local-tables.js';
import { SourceFile } from '../../../src/compiler/index.js';
import type { PortNo } from '../../../src/datapath/datapath.js';
import { BridgeDocuments } from '../../../src/documents/bridge-documents.js';
import { Journal } from '../../../src/documents/journal.js';
import { BridgeHealth } from '../../../src/health/bridge-health.js';
import { RouterAgents } from '../../../src/router-agent/router-agents.js';
import { HandClock } from '../../lab/hand-clock.js';
import { Bed } from '../ofproto/bed.js';

export class DocumentsBed {
  readonly switch = new Bed();
  readonly clock = new HandClock();
  /** Times that tables were read, which each compilation does once. */
  reads = 0;
  /** Something that happens while the tables are read. */
  whileRead: () => void = () => {};
  /** What health asks of the tables, and how many of its changes are yet to be refused. */
  readonly asked: MultipartRequestBody[] = [];
  refuses = 0;
  documents!: BridgeDocuments;
  health!: BridgeHealth;
  #ports: PortIdentity[] = [];
  #changed: () => void = () => {};

  private constructor(readonly path: string) {}

  static async open(path = join(mkdtempSync(join(tmpdir(), 'xvif-documents-')), 'br0.documents')) {
    const bed = new DocumentsBed(path);
    const tables = localTables(bed.switch.ofproto, bed.switch.datapath);
    const agents = new RouterAgents({ tables, clock: bed.clock });
    bed.health = new BridgeHealth({
      tables: {
        ...tables,
        ask: (body) => {
          bed.asked.push(body);
          return tables.ask(body);
        },
        commit: (messages) =>
          bed.refuses > 0 ? { index: 0, reason: `refused, and ${--bed.refuses} more` } : tables.commit(messages),
      },
      clock: bed.clock,
      wallMs: () => bed.clock.nowMs(),
      logger: silentLogger,
    });
    bed.documents = new BridgeDocuments({
      tables: {
        ...tables,
        ask: (body) => {
          if (body.type === 'flow') bed.reads++;
          if (body.type === 'flow') bed.whileRead();
          return tables.ask(body);
        },
      },
      journal: Journal.open(path, silentLogger),
      clock: bed.clock,
      wallMs: () => 1000,
      logger: silentLogger,
      altered: (program) => bed.health.altered(program),
      onInForce: (program) => {
        agents.follow(program.routers);
        bed.health.follow(program);
      },
    });
    await bed.documents.start();
    bed.documents.follow({
      identities: () => bed.#ports,
      onIdentities: (listener) => {
        bed.#changed = listener;
      },
    });
    return bed;
  }

  /** A guest's interface; numbers are below 4. */
  plug(vm: string, number: number, rest: Partial<PortIdentity> = {}): void {
    const guest = { vm, device: 0, uuid: undefined };
    this.#ports = [
      ...this.#ports,
      {
        name: `vif${number}`,
        number: number as PortNo,
        mac: `00:16:3e:00:00:0${number}`,
        guest,
        addresses: [],
        ...rest,
      },
    ];
    this.#changed();
  }
  unplug(vm: string): void {
    this.#ports = this.#ports.filter(({ guest }) => guest?.vm !== vm);
    this.#changed();
  }
  /** The port is gone, and nobody was told but the switch. */
  pull(number: number): void {
    this.switch.datapath.portDetach(number as PortNo);
    this.switch.ofproto.portRemoved(number);
  }
  /** Until what ports caused is done. */
  async settled(): Promise<void> {
    this.clock.advance(1000);
    // It is refused where something of a controller is in the way, and comes after what is under way all the same.
    await this.documents.plan({ files: [], prune: false, confirmMs: 0 }).catch(() => undefined);
    this.reads--;
  }

  apply(texts: string | readonly string[], rest: { readonly prune?: boolean; readonly confirmMs?: number } = {}) {
    const files = [texts].flat().map((text, n) => new SourceFile(`${n}.yaml`, text));
    return this.documents.apply({ files, prune: false, confirmMs: 0, ...rest });
  }

  /** Without cookies, in the words of ovs-ofctl. */
  async flows(): Promise<string[]> {
    const texts: string[] = [];
    for await (const flow of this.switch.ofproto.flows()) texts.push(formatFlow({ ...flow, cookie: 0n }));
    return texts.sort();
  }
}

export const document = (
  name: string,
  rules: readonly string[],
  { owner = 'ops', table = 0, rest = '' } = {},
): string =>
  `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: ${name}, owner: ${owner}}
spec:
  tables:
    - name: t
      id: ${table}
      rules:
${rules.map((rule) => `        - ${rule}\n`).join('')}${rest}`;
