/** When a learned neighbour is forgotten, and when not. */
import type { FlowStats, MultipartReplyBody, Outgoing } from 'node-openflow';
import { parseFlow } from 'node-openflow/text';
import { beforeEach, describe, expect, it } from 'vitest';
import { EncodedChanges } from '../../../src/bridge/encoded-changes.js';
import {
  KEPT_MAX,
  LOOK_INTERVAL_MS,
  LOOK_PARTS_MAX,
  QUESTION_INTERVAL_MS,
  QUESTIONS,
  REACHABLE_MS,
} from '../../../src/router-agent/limits.js';
import { NeighbourWatch } from '../../../src/router-agent/neighbour-watch.js';
import { RouteTable } from '../../../src/router-agent/route-table.js';
import { HandClock } from '../../lab/hand-clock.js';
import { router } from './agent.js';

const PORT = 7;
const flowOf = (text: string, packetCount: bigint): FlowStats => {
  const parsed = parseFlow(`priority=100,reg4=1,${text}`);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return { ...parsed.value, packetCount } as unknown as FlowStats;
};
const learned = (mac: string, packetCount: bigint): FlowStats =>
  flowOf(`dl_type=0x0800,reg0=0x0a00010b actions=set_field:02:00:00:00:00:${mac}->eth_dst`, packetCount);
const station = flowOf(`dl_dst=02:00:00:00:00:0a actions=load:${PORT}->NXM_NX_REG5[0..15]`, 0n);

describe('a neighbour', () => {
  let clock: HandClock;
  let watch: NeighbourWatch;
  let flow: FlowStats;
  let lost: Map<number, bigint>;
  let asked: number;
  let mosts: unknown[];
  let changes: Outgoing[];
  beforeEach(async () => {
    clock = new HandClock();
    [flow, lost, asked, mosts, changes] = [learned('0a', 0n), new Map(), 0, [], []];
    watch = new NeighbourWatch({
      router,
      routes: new RouteTable(router),
      clock,
      ask: () => asked++,
      tables: {
        ask: async (request, most) => {
          mosts.push(most);
          const inStations = 'tableId' in request && request.tableId === router.firstTable + 5;
          return [{ type: 'flow', entries: [inStations ? station : flow] } as MultipartReplyBody];
        },
        commit: (messages) => {
          if (!(messages instanceof EncodedChanges)) changes.push(...messages);
          return undefined;
        },
        packets: { lost: () => new Map(lost) } as never,
      },
    });
    await watch.look();
    clock.advance(REACHABLE_MS);
    flow = learned('0a', 1n);
    await watch.look();
    expect(asked).toBe(1);
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const wait = async (ms: number) => {
    clock.advance(ms);
    await settled();
  };
  const silence = async () => {
    for (let i = 0; i < QUESTIONS; i++) await wait(QUESTION_INTERVAL_MS);
  };

  it('that does not answer is forgotten', async () => {
    await silence();
    expect(asked).toBe(QUESTIONS);
    expect(changes).toMatchObject([{ type: 'flow_mod', tableId: router.firstTable + 4, priority: 100 }]);
  });

  const loses = (port: number) => lost.set(port, (lost.get(port) ?? 0n) + 1n);
  let packets = 1n;
  const usedAgain = async () => {
    flow = learned('0a', ++packets);
    await wait(LOOK_INTERVAL_MS);
  };

  it('is kept where its answer may have been lost, and asked again', async () => {
    loses(PORT);
    await silence();
    expect(changes).toEqual([]);
    await usedAgain();
    expect(asked).toBe(QUESTIONS + 1);
  });

  it('is not kept for what other ports lose', async () => {
    loses(PORT + 1);
    await silence();
    expect(changes).toHaveLength(1);
  });

  it('is kept only so often in a row', async () => {
    for (let times = 0; times < KEPT_MAX; times++) {
      loses(PORT);
      await silence();
      expect(changes).toEqual([]);
      await usedAgain();
    }
    loses(PORT);
    await silence();
    expect(changes).toHaveLength(1);
  });

  it('is kept anew after it has answered', async () => {
    for (let times = 0; times < 2 * KEPT_MAX; times++) {
      loses(PORT);
      await silence();
      if (times === KEPT_MAX - 1)
        watch.told({ subnet: router.subnets[0]!, address: { family: 4, value: 0x0a00010bn } });
      clock.advance(REACHABLE_MS);
      await usedAgain();
    }
    expect(changes).toEqual([]);
  });

  it('is kept that is somebody else by now', async () => {
    flow = learned('0b', 1n);
    await silence();
    expect(changes).toEqual([]);
  });

  it('is kept that answers while it is looked for the last time', async () => {
    for (let i = 1; i < QUESTIONS; i++) await wait(QUESTION_INTERVAL_MS);
    clock.advance(QUESTION_INTERVAL_MS);
    watch.told({ subnet: router.subnets[0]!, address: { family: 4, value: 0x0a00010bn } });
    await settled();
    expect(changes).toEqual([]);
  });

  it('is one of a bounded number', () => {
    expect(mosts.length).toBeGreaterThan(0);
    expect(mosts.every((most) => most === LOOK_PARTS_MAX)).toBe(true);
  });

  it('is left alone when the router is gone', async () => {
    watch.close();
    await silence();
    expect(asked).toBe(1);
    expect(changes).toEqual([]);
  });
});
