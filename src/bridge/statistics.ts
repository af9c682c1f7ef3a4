/** What the datapath counts, read and named. */
import type { Datapath } from '../datapath/datapath.js';
import {
  decodeAggregateAnswer,
  decodeDropAnswers,
  decodePortAnswers,
  decodeRuntimeAnswer,
  encodeQuery,
  type PortAnswer,
  type RuntimeAnswer,
} from '../datapath/records.js';
import { Drop, Query } from '../datapath/schema.gen.js';

const dropNames = Object.entries(Drop)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));

export interface DropCount {
  readonly port: number;
  /** Seen from the port: what came in through it, or should have gone out. */
  readonly direction: 'in' | 'out';
  readonly reason: string;
  readonly packets: bigint;
}

/** All parts of an answer. */
function readAll(datapath: Datapath, query: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let next: Uint8Array | undefined = encodeQuery({ query });
  while (next !== undefined) {
    const part: { readonly data: Uint8Array; readonly next: Uint8Array | undefined } = datapath.read(next);
    parts.push(part.data);
    next = part.next;
  }
  return parts.length === 1 ? parts[0]! : new Uint8Array(Buffer.concat(parts));
}

/** By port number. */
export function readPorts(datapath: Datapath): ReadonlyMap<number, PortAnswer> {
  return new Map(decodePortAnswers(readAll(datapath, Query.ports)).map((answer) => [answer.port, answer]));
}

export function countFlows(datapath: Datapath): number {
  return decodeAggregateAnswer(readAll(datapath, Query.aggregate)).flows;
}

export function readRuntime(datapath: Datapath): RuntimeAnswer {
  return decodeRuntimeAnswer(readAll(datapath, Query.runtime));
}

/** Every count that is not zero, by port, direction and reason. */
export function readDrops(datapath: Datapath): readonly DropCount[] {
  return decodeDropAnswers(readAll(datapath, Query.drops), dropNames.length).flatMap(({ port, rx, tx }) => [
    ...counts(port, 'in', rx),
    ...counts(port, 'out', tx),
  ]);
}

/** Packets of each port that should have gone up and did not. */
export function readUpcallsLost(datapath: Datapath): ReadonlyMap<number, bigint> {
  const answers = decodeDropAnswers(readAll(datapath, Query.drops), dropNames.length);
  return new Map(answers.map(({ port, rx }) => [port, rx[Drop.upcallFull]!]));
}

function counts(port: number, direction: 'in' | 'out', packets: readonly bigint[]): DropCount[] {
  return packets.flatMap((count, reason) =>
    count === 0n || reason === Drop.none ? [] : [{ port, direction, reason: dropNames[reason]!, packets: count }],
  );
}
