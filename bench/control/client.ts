/** The controller of the control benchmark, in a process of its own: measures one switch and prints figures as JSON. */

import { udpFrame } from '../frames.js';
import { Connection } from './connection.js';
import {
  addToBundle,
  BARRIER_REPLY,
  barrier,
  commitBundle,
  deleteAll,
  dumpFlows,
  exactFlow,
  MULTIPART_REPLY,
  missToController,
  openBundle,
  PACKET_IN,
  packetOut,
  wantPackets,
} from './frames.js';

const [target, task, countText] = process.argv.slice(2) as [string, string, string];
const count = Number(countText);
let connection: Connection;
const seconds = (): number => Number(process.hrtime.bigint()) / 1e9;
const EXPERIMENTER = 4;

async function answered(bytes: Buffer, enough: (type: number, message: Buffer) => boolean): Promise<number> {
  const start = seconds();
  const done = connection.until(enough);
  await connection.write(bytes);
  await done;
  return seconds() - start;
}
const isBarrier = (type: number) => type === BARRIER_REPLY;
const flows = (make: (n: number) => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, (_, n) => make(n)));

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}
/** Rounds in which this client gets hot, that do not count. */
const CLIENT_WARM_UP = 300;
const latencies = (values: readonly number[]) => {
  const counted = values.slice(CLIENT_WARM_UP);
  return { rounds: values.length, p50: percentile(counted, 0.5) * 1e6, p99: percentile(counted, 0.99) * 1e6 };
};
const QUIET_SECONDS = 1;
/** Resolves when nothing has come for a while. */
async function quiet(last: () => number): Promise<void> {
  while (seconds() - last() < QUIET_SECONDS) await new Promise((resolve) => setTimeout(resolve, 100));
}
const frame = (n: number): Buffer =>
  udpFrame({ source: 0x0a000001, destination: 0x0a010000 + n, sourcePort: 1000, destinationPort: 2000 });

/** What takes long to make is made before there is a connection: a switch asks whether its controller is still there. */
const prepared =
  task === 'add'
    ? Buffer.concat([flows(exactFlow), barrier()])
    : task === 'bundle'
      ? Buffer.concat([openBundle, flows((n) => addToBundle(exactFlow(n))), commitBundle])
      : Buffer.alloc(0);

const tasks: Readonly<Record<string, () => Promise<object>>> = {
  async add() {
    return { rate: count / (await answered(prepared, isBarrier)) };
  },
  async bundle() {
    let replies = 0;
    return { rate: count / (await answered(prepared, (type) => type === EXPERIMENTER && ++replies === 2)) };
  },
  async clear() {
    return { seconds: await answered(Buffer.concat([deleteAll, barrier()]), isBarrier) };
  },
  async roundTrips() {
    const times: number[] = [];
    for (let n = 0; n < CLIENT_WARM_UP + count; n++)
      times.push(await answered(Buffer.concat([exactFlow(n), barrier()]), isBarrier));
    return latencies(times);
  },
  async dump() {
    let bytes = 0;
    const took = await answered(dumpFlows, (type, message) => {
      bytes += message.length;
      // OFPMPF_REPLY_MORE
      return type === MULTIPART_REPLY && (message[11]! & 1) === 0;
    });
    return { rate: count / took, bytes };
  },
  /** Packets that no flow matches, made by packet_outs to TABLE; how many come up. */
  async packetIns() {
    await answered(Buffer.concat([wantPackets, deleteAll, missToController, barrier()]), isBarrier);
    const bytes = Buffer.concat(Array.from({ length: count }, (_, n) => packetOut(frame(n & 0xffff))));
    let received = 0;
    let [heard, last] = [seconds(), seconds()];
    const start = seconds();
    const all = connection.until((type) => {
      // The answer to the barrier, too: packets may come up after it.
      heard = seconds();
      if (type === PACKET_IN) {
        received++;
        last = heard;
      }
      return received === count;
    });
    await connection.write(Buffer.concat([bytes, barrier()]));
    await Promise.race([all, quiet(() => heard)]);
    return { rate: received / (last - start), share: received / count };
  },
  async latency() {
    await answered(Buffer.concat([wantPackets, deleteAll, missToController, barrier()]), isBarrier);
    const times: number[] = [];
    for (let n = 0; n < CLIENT_WARM_UP + count; n++)
      times.push(await answered(packetOut(frame(n)), (type) => type === PACKET_IN));
    return latencies(times);
  },
  /** Packet-in, then a flow and the packet sent on, until both are done. */
  async reactive() {
    await answered(Buffer.concat([wantPackets, deleteAll, missToController, barrier()]), isBarrier);
    const times: number[] = [];
    for (let n = 0; n < CLIENT_WARM_UP + count; n++) {
      const start = seconds();
      await answered(packetOut(frame(n)), (type) => type === PACKET_IN);
      await answered(Buffer.concat([exactFlow(0x10000 + n), packetOut(frame(n), 2), barrier()]), isBarrier);
      times.push(seconds() - start);
    }
    return latencies(times);
  },
};

const run = tasks[task];
if (run === undefined) throw new Error(`no such task: ${task}`);
connection = await Connection.open(target);
console.log(JSON.stringify(await run()));
connection.close();
