/** Everything of a datapath that can be seen from outside, in a form that can be compared. */
import type { Datapath, PortNo } from '../../src/datapath/datapath.js';
import {
  decodeFlowAnswers,
  decodeGroupAnswers,
  decodeInstructions,
  decodeMatch,
  decodeMeterAnswers,
  decodePortAnswers,
  decodeTableAnswers,
  encodeQuery,
  type FlowChangeRecord,
  forEachUpcall,
} from '../../src/datapath/records.js';
import { Query } from '../../src/datapath/schema.gen.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const text = (value: unknown) => JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v));

/** Counters lag behind here and there, and versions count what each side publishes. */
function changeText({ event, reason, cause, flow, oldInstructions }: FlowChangeRecord): string {
  const still = flow && { ...flow, duration: 0, unused: 0, unchanged: 0, packets: 0, bytes: 0 };
  const bytes = still && { match: hex(still.match), instructions: hex(still.instructions) };
  return text({ event, reason, cause, ...still, ...bytes, oldInstructions: hex(oldInstructions) });
}

/** Collects upcalls as lines. */
export class Observer {
  #lines: string[] = [];
  calls = 0;

  constructor(readonly datapath: Datapath) {
    datapath.onUpcall((records) =>
      forEachUpcall(records, (record) => {
        this.calls++;
        if (record.kind === 'port_state') return;
        if (record.kind === 'port_output') this.#lines.push(`out ${record.port} ${hex(record.frame)}`);
        else if (record.kind === 'packet_in') {
          const { frame, userdata, registers } = record;
          const bytes = { frame: hex(frame), userdata: hex(userdata), registers: [...registers] };
          this.#lines.push(`in ${text({ ...record, ...bytes })}`);
        } else if (record.kind === 'flow_change') this.#lines.push(`changed ${changeText(record)}`);
        else this.#lines.push(`flow ${text({ ...record, duration: 0, unused: 0, match: hex(record.match) })}`);
      }),
    );
  }

  attach(ports: readonly number[]): void {
    for (const port of ports) this.datapath.portAttach(port as PortNo, { kind: 'capture' });
  }

  get count(): number {
    return this.#lines.length;
  }

  /** Sorted: the order between ports is nobody's promise. */
  take(): string[] {
    return this.#lines.splice(0).sort();
  }

  #read<T>(query: number, decode: (data: Uint8Array) => Iterable<T>): T[] {
    const all: T[] = [];
    let next: Uint8Array | undefined = encodeQuery({ query });
    while (next !== undefined) {
      const part: ReturnType<Datapath['read']> = this.datapath.read(next, 4096);
      all.push(...decode(part.data));
      next = part.next;
    }
    return all;
  }

  /** Flows, tables, groups, meters and ports with their counters. */
  state(): Record<string, string[]> {
    const flows = this.#read(Query.flows, decodeFlowAnswers).map((flow) =>
      text({
        ...flow,
        duration: 0,
        unused: 0,
        unchanged: 0,
        match: decodeMatch(flow.match),
        instructions: decodeInstructions(flow.instructions),
      }),
    );
    const tables = this.#read(Query.tables, decodeTableAnswers).map((table, i) => `${i} ${text(table)}`);
    const groups = this.#read(Query.groups, decodeGroupAnswers).map((group) =>
      text({ ...group, duration: 0, buckets: group.buckets.map((b) => ({ ...b, actions: hex(b.actions) })) }),
    );
    const meters = this.#read(Query.meters, decodeMeterAnswers).map((meter) => text({ ...meter, duration: 0 }));
    const ports = this.#read(Query.ports, decodePortAnswers).map(({ port, config, txPackets, txBytes }) =>
      text({ port, config, txPackets, txBytes }),
    );
    return {
      flows: flows.sort(),
      tables: tables.filter((line) => !line.includes('"lookups":"0n"')),
      groups,
      meters,
      ports,
    };
  }
}
