/** Guest → guest through the rings of the emulated hypervisor: frontend → ring → tables → ring → frontend. */
import type { Datapath, PortNo } from '../../src/datapath/datapath.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeFrontend } from '../../src/datapath/native-addon.js';
import { decodeRuntimeAnswer, encodeQuery } from '../../src/datapath/records.js';
import { Query } from '../../src/datapath/schema.gen.js';
import { normalEverywhere } from '../../test/lab/normal.js';
import { cyclesPerSecond, type Figure, median, type Scenario, sleep } from '../report.js';

const repetitions = 3;
const measureMs = 1000;

function connect(datapath: Datapath, port: PortNo, domid: number, guest: NativeFrontend): void {
  datapath.portAttach(port, {
    kind: 'vif',
    domid,
    handle: 0,
    queues: guest.queues,
    sg: true,
    gsoTcpv4: true,
    gsoTcpv6: true,
    csumBlankIpv4: true,
    csumBlankIpv6: true,
    rxNotify: true,
  });
  guest.connect();
}

async function measure(frameSize: number): Promise<readonly Figure[]> {
  const runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  try {
    const datapath = new NativeDatapathAdapter(runtime);
    normalEverywhere(datapath);
    const guests = [1, 2].map((domid) => {
      runtime.emulated.createDomain(domid);
      const guest = runtime.emulated.createFrontend(domid, {
        mac: `00:16:3e:00:00:0${domid}`,
        mtu: 65521,
        queues: 1,
        splitEventChannels: true,
        sg: true,
        gsoTcpv4: true,
        gsoTcpv6: true,
        csumOffload: true,
        stack: { kind: 'builtin', ipv4: `10.0.0.${domid}` },
      });
      connect(datapath, domid as PortNo, domid, guest);
      return guest;
    });
    const [sender, receiver] = guests as [NativeFrontend, NativeFrontend];
    sender.startTraffic({ address: '10.0.0.2', port: 9, frameSize, pps: 0 });
    const read = () => ({
      at: process.hrtime.bigint(),
      packets: receiver.stats().udpReceived,
      worker: decodeRuntimeAnswer(datapath.read(encodeQuery({ query: Query.runtime })).data).perWorker[0]!,
    });
    await sleep(1000);
    const rates: number[] = [];
    const cycles: number[] = [];
    for (let i = 0; i < repetitions; i++) {
      const before = read();
      await sleep(measureMs);
      const after = read();
      const packets = after.packets - before.packets;
      if (packets === 0) throw new Error('no frame arrived');
      rates.push(packets / (Number(after.at - before.at) / 1e3));
      cycles.push((Number(after.worker.busy - before.worker.busy) / 1e9 / packets) * cyclesPerSecond());
    }
    datapath.close();
    return [
      { name: 'frames received', value: median(rates), unit: 'Mpps' },
      { name: 'payload', value: median(rates) * 8e-3 * frameSize, unit: 'Gbit/s' },
      { name: 'cycles of the switch per frame', value: median(cycles), unit: 'cycles' },
    ];
  } finally {
    runtime.close();
  }
}

export const ringScenarios: readonly Scenario[] = [
  {
    name: 'rings-64',
    about: 'guest → guest, 64-byte UDP frames (60 without FCS), NORMAL, one worker, one queue, emulated hypervisor',
    run: () => measure(60),
  },
  {
    name: 'rings-1514',
    about: 'guest → guest, 1 514-byte UDP frames',
    run: () => measure(1514),
  },
];
