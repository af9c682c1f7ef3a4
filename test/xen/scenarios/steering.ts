/** A policy in force, whoever put it there: echo requests of a client to a server pass, are dropped, or go elsewhere. */
import type { Guest } from '../dom0/guest.js';
import { dom0 } from '../dom0/party.js';
import { atLeast, equal, that } from '../dom0/run.js';
import { ping } from '../dom0/traffic.js';

/** Client and server are guests; the decoy is Dom0 behind the LOCAL port. */
export interface Steering {
  readonly client: Guest;
  readonly clientPort: number;
  readonly serverIp: string;
  readonly serverMac: string;
  readonly server: Guest;
  readonly decoyPort: number | 'LOCAL';
  readonly decoyIp: string;
  readonly decoyMac: string;
}

const REQUESTS = 5;

async function echoesIn(party: { run(command: string): Promise<string> }): Promise<number> {
  const text = await party.run('grep "^Icmp:" /proc/net/snmp');
  const [names = '', values = ''] = text.split('\n');
  return Number(values.split(/\s+/)[names.split(/\s+/).indexOf('InEchos')]);
}

async function count(steering: Steering): Promise<{ answers: number; server: number; decoy: number }> {
  const { client, server, serverIp } = steering;
  const before = [await echoesIn(server), await echoesIn(dom0)] as const;
  const answers = await ping(client, serverIp, REQUESTS, '-W 2');
  return { answers, server: (await echoesIn(server)) - before[0], decoy: (await echoesIn(dom0)) - before[1] };
}

export async function passes(steering: Steering): Promise<void> {
  const { answers, server, decoy } = await count(steering);
  equal(answers, REQUESTS, 'answers');
  equal(server, REQUESTS, 'requests at the server');
  equal(decoy, 0, 'requests at the decoy');
}

export async function drops(steering: Steering): Promise<void> {
  const { answers, server, decoy } = await count(steering);
  equal(answers, 0, 'answers');
  equal(server, 0, 'requests at the server');
  equal(decoy, 0, 'requests at the decoy');
}

export async function redirects(steering: Steering): Promise<void> {
  const { answers, server, decoy } = await count(steering);
  equal(answers, REQUESTS, 'answers');
  equal(server, 0, 'requests at the server');
  equal(decoy, REQUESTS, 'requests at the decoy');
}

export function dropFlow({ clientPort, serverIp }: Steering): string {
  return `priority=100,icmp,in_port=${clientPort},nw_dst=${serverIp} actions=drop`;
}

export function redirectFlows(steering: Steering): string[] {
  const { clientPort, serverIp, serverMac, decoyPort, decoyIp, decoyMac } = steering;
  return [
    `priority=100,icmp,in_port=${clientPort},nw_dst=${serverIp} ` +
      `actions=set_field:${decoyMac}->eth_dst,set_field:${decoyIp}->ip_dst,output:${decoyPort}`,
    `priority=100,icmp,in_port=${decoyPort},nw_src=${decoyIp} ` +
      `actions=set_field:${serverMac}->eth_src,set_field:${serverIp}->ip_src,output:${clientPort}`,
  ];
}

/** Packets that the flows of priority 100 counted. */
export function countedBy(dump: string): number {
  return dump
    .split('\n')
    .filter((line) => line.includes('priority=100'))
    .reduce((sum, line) => sum + Number(/n_packets=(\d+)/.exec(line)?.[1] ?? 0), 0);
}

export function counted(dump: string): void {
  that(dump.includes('priority=100'), `no flow of priority 100 in\n${dump}`);
  atLeast(countedBy(dump), REQUESTS, 'packets that the flow counted');
}
