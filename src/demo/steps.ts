/** The steps of the demo, as seen from outside the daemon: everything goes through its API. */
import type { ApiClient } from '../api/client.js';
import { sleep } from '../base/clock.js';
import { formatFlows } from '../cli/flows.js';
import { formatGuests } from '../cli/guest.js';
import { formatPorts } from '../cli/ports.js';
import { problems } from './check.js';
import { BRIDGE, formatPair, formatRound, guests, type PairResult, type PingShape, pairs, pingPair } from './guests.js';

const GUEST_TIMEOUT_MS = 30_000;
const CONTROLLER_POLL_MS = 50;
const CHECK_PINGS: PingShape = { count: 4, intervalMs: 50 };
const LIVE_PINGS: PingShape = { count: 10, intervalMs: 100 };
const LIVE_REST_MS = 500;
/** Live rounds between two prints of the flows. */
const FLOWS_EVERY = 5;

export interface Stage {
  readonly api: ApiClient;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Throws when the demo was asked to end. */
function goOn({ signal }: Stage): void {
  signal.throwIfAborted();
}

export async function awaitController(stage: Stage, target: string, timeoutMs: number): Promise<void> {
  stage.say(`waiting for the controller at ${target}`);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    goOn(stage);
    const { bridges } = await stage.api.call('show', {});
    const controllers = bridges.flatMap(({ controllers }) => controllers);
    if (controllers.some(({ connected }) => connected)) return;
    if (performance.now() > deadline) {
      const reasons = controllers.map(({ lastError }) => lastError).filter((reason) => reason !== '');
      throw new Error(`the controller at ${target} did not connect${reasons.map((reason) => `: ${reason}`).join('')}`);
    }
    await sleep(CONTROLLER_POLL_MS);
  }
}

export async function addGuests(stage: Stage): Promise<void> {
  for (const { name, ip } of guests) {
    goOn(stage);
    await stage.api.call('addGuest', { name, bridge: BRIDGE, ip: `${ip}/24` }, GUEST_TIMEOUT_MS);
  }
  stage.say(formatGuests((await stage.api.call('listGuests', {})).guests));
}

/** Each guest pings each other. */
export async function pingAll(stage: Stage): Promise<readonly PairResult[]> {
  const results: PairResult[] = [];
  for (const pair of pairs) {
    goOn(stage);
    const result = await pingPair(stage.api, pair, CHECK_PINGS);
    stage.say(formatPair(result));
    results.push(result);
  }
  return results;
}

export async function showFlows(stage: Stage): Promise<void> {
  const { flows } = await stage.api.call('listFlows', { bridge: BRIDGE });
  stage.say(`\nflows the controller installed:\n${formatFlows(flows)}\n`);
}

/** Throws with everything that is not as it should be. */
export async function verify(stage: Stage, results: readonly PairResult[]): Promise<void> {
  const { flows } = await stage.api.call('listFlows', { bridge: BRIDGE });
  const found = problems(results, flows);
  if (found.length > 0) throw new Error(found.join('; '));
}

/** Traffic and tables until the demo is asked to end. */
export async function live(stage: Stage): Promise<void> {
  const { api, say, signal } = stage;
  say('live rates; end with Ctrl-C\n');
  const watching = api.watch(
    { bridge: BRIDGE, intervalMs: 2000 },
    (event) => {
      if (event.event === 'ports') say(`${formatPorts(event.ports.ports)}\n`);
      else say(`${event.bridge.bridge}: ${event.bridge.text}`);
    },
    signal,
  );
  const talking = (async () => {
    for (let round = 1; !signal.aborted; round++) {
      const results = await Promise.all(pairs.map((pair) => pingPair(api, pair, LIVE_PINGS)));
      if (signal.aborted) return;
      say(formatRound(results));
      if (round % FLOWS_EVERY === 0) await showFlows(stage);
      await sleep(LIVE_REST_MS);
    }
  })();
  await Promise.race([watching, talking]);
  goOn(stage);
}
