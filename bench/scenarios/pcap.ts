/** Frames from a pcap file, looped in memory → tables → null port, on one worker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PortNo } from '../../src/datapath/datapath.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon } from '../../src/datapath/native-addon.js';
import {
  decodePortAnswers,
  decodeRuntimeAnswer,
  encodeInstructions,
  encodeMatch,
  encodeQuery,
  GROUP_ANY,
  type MatchEntry,
  RecordWriter,
  writeFlowMod,
} from '../../src/datapath/records.js';
import { type FieldName, FlowCommand, fields, Query, ReservedPort } from '../../src/datapath/schema.gen.js';
import { udpFrame, writePcap } from '../frames.js';
import { cyclesPerSecond, type Figure, median, type Scenario, sleep } from '../report.js';

const input = 1 as PortNo;
const output = 2 as PortNo;
/** An exact match on a field. */
const exact = (name: FieldName, value: number): MatchEntry => ({
  field: fields.findIndex((field) => field.name === name),
  value: BigInt(value),
  mask: undefined,
});

const warmUpMs = 1000;
const measureMs = 1000;
const repetitions = 3;

interface Rules {
  readonly rules: readonly { readonly priority: number; readonly match: readonly MatchEntry[] }[];
  readonly frames: readonly Buffer[];
}

/** One rule in_port → output, `flows` different frames. */
function oneRule(flows: number): Rules {
  return {
    rules: [{ priority: 1, match: [exact('in_port', input)] }],
    frames: Array.from({ length: flows }, (_, i) =>
      udpFrame({ source: 0x0a000001, destination: 0x0a010000 + i, sourcePort: 1000, destinationPort: 2000 }),
    ),
  };
}

/** A rule per destination address and port, and frames that hit them all. */
function exactRules(count: number, flows: number): Rules {
  return {
    rules: Array.from({ length: count }, (_, i) => ({
      priority: 10,
      match: [
        exact('eth_type', 0x0800),
        exact('ip_proto', 17),
        exact('ipv4_dst', 0x0a010000 + i),
        exact('udp_dst', 2000),
      ],
    })),
    frames: Array.from({ length: flows }, (_, i) =>
      udpFrame({
        source: 0x0a000001 + Math.floor(i / count),
        destination: 0x0a010000 + (i % count),
        sourcePort: 1000,
        destinationPort: 2000,
      }),
    ),
  };
}

async function measure({ rules, frames }: Rules): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'xvif-bench-'));
  const runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  try {
    const datapath = new NativeDatapathAdapter(runtime);
    const batch = new RecordWriter(1 << 20);
    for (const { priority, match } of rules) {
      writeFlowMod(batch, {
        op: 'flow_mod',
        command: FlowCommand.add,
        table: 0,
        cookie: 0n,
        cookieMask: 0n,
        priority,
        flags: 0,
        idle: 0,
        hard: 0,
        outPort: ReservedPort.any,
        outGroup: GROUP_ANY,
        importance: 0,
        match: encodeMatch(match),
        instructions: encodeInstructions([{ kind: 'apply', actions: [{ kind: 'output', port: output, maxLen: 0 }] }]),
      });
    }
    if (datapath.apply(batch.take()).some((status) => status !== 0)) throw new Error('a rule was refused');
    const path = join(folder, 'frames.pcap');
    writePcap(path, frames);
    datapath.portAttach(output, { kind: 'null' });
    datapath.portAttach(input, { kind: 'pcap', input: path, loop: true });
    const read = () => {
      const [port] = decodePortAnswers(datapath.read(encodeQuery({ query: Query.ports, id: output })).data);
      const runtimeAnswer = decodeRuntimeAnswer(datapath.read(encodeQuery({ query: Query.runtime })).data);
      return { at: process.hrtime.bigint(), packets: port!.txPackets, busyNs: runtimeAnswer.perWorker[0]!.busy };
    };
    await sleep(warmUpMs);
    const rates: number[] = [];
    const cycles: number[] = [];
    for (let i = 0; i < repetitions; i++) {
      const before = read();
      await sleep(measureMs);
      const after = read();
      const packets = Number(after.packets - before.packets);
      rates.push(packets / (Number(after.at - before.at) / 1e3));
      cycles.push((Number(after.busyNs - before.busyNs) / 1e9 / packets) * cyclesPerSecond());
    }
    datapath.close();
    return [
      { name: 'packets', value: median(rates), unit: 'Mpps' },
      { name: 'cycles per packet', value: median(cycles), unit: 'cycles' },
    ];
  } finally {
    runtime.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const pcapScenarios: readonly Scenario[] = [
  {
    name: 'tables-A',
    about: '1 rule, 1 000 flows of 64-byte UDP frames (60 without FCS), pcap loop → null, one worker',
    run: () => measure(oneRule(1000)),
  },
  {
    name: 'tables-B',
    about: '1 001 rules (udp, nw_dst, tp_dst), 1 000 flows',
    run: () => measure(exactRules(1000, 1000)),
  },
  {
    name: 'tables-C',
    about: '65 536 rules (udp, nw_dst, tp_dst), 10 000 flows',
    run: () => measure(exactRules(65_536, 10_000)),
  },
  {
    name: 'tables-D',
    about: '65 536 rules (udp, nw_dst, tp_dst), 100 000 flows',
    run: () => measure(exactRules(65_536, 100_000)),
  },
];
