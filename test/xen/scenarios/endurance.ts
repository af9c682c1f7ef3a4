/** Vifs that come and go, a daemon that is killed, a guest that is destroyed under load: nothing may be left. */
import { macOf } from '../dom0/backends.js';
import { Guest } from '../dom0/guest.js';
import { grown, type Holdings, holdings, sameHoldings } from '../dom0/leaks.js';
import { atLeast, equal, type Run, that } from '../dom0/run.js';
import { eventually, sh, sleep, within } from '../dom0/shell.js';
import { generate, iperf, load, ping, reachable, serveEcho, serveIperf, unload } from '../dom0/traffic.js';
import { backendPath, gone, read } from '../dom0/xenstore.js';
import { Xvifd } from '../dom0/xvifd.js';
import type { Scenario } from './scenario.js';
import { startSwitch } from './wire.js';

const ROUNDS = 100;
/** Linux 6.1's netfront leaks 1 MiB each time a vif is taken away, whoever its backend is. */
const GUEST_MIB = 192 + 2 * ROUNDS;
/** KiB by which the daemon may grow: its heap finds its size, and freed memory is not handed back at once. */
const GROWTH_KIB = 24_000;

/** Attaches one more vif to a guest and takes it away again; waits for both ends. */
async function attachAndDetach(xvifd: Xvifd, guest: Guest, handle: number): Promise<void> {
  await within(300, 'xl', 'network-attach', guest.name, ...xvifd.vif(1).replace(macOf(1), macOf(1, 9)).split(','));
  await xvifd.portOf(guest, handle);
  await within(300, 'xl', 'network-detach', guest.name, `${handle}`);
  await gone(`${backendPath(guest.domid, handle)}/state`);
}

async function comeAndGo(run: Run, xvifd: Xvifd, guest: Guest): Promise<void> {
  await run.check(`${ROUNDS} attaches and detaches leave nothing`, async () => {
    const handle = 1;
    const round = () => attachAndDetach(xvifd, guest, handle);
    for (let n = 0; n < 5; n++) await round();
    const before = await holdings(xvifd);
    for (let n = 0; n < ROUNDS; n++) await round();
    const text = sameHoldings(before, await holdings(xvifd), GROWTH_KIB);
    equal(await ping(guest, '10.0.0.2', 5), 5, 'answers afterwards');
    return text;
  });
}

/** Milliseconds of the longest pause between answers of a ping that ran all the time, by its own time stamps. */
export function longestGap(output: string): number {
  const times = [...output.matchAll(/^\[([\d.]+)\] .*time=/gm)].map(([, time]) => Number(time) * 1000);
  return Math.max(0, ...times.slice(1).map((time, index) => time - times[index]!));
}

async function killed(run: Run, xvifd: Xvifd, a: Guest, b: Guest): Promise<void> {
  await run.check(
    'kill -9 of the daemon under load: traffic resumes by itself, and nothing is held twice',
    async () => {
      const states = async () =>
        Promise.all([a, b].map(({ domid }) => read(`/local/domain/${domid}/device/vif/0/state`)));
      const held = await holdings(xvifd);
      const before = await states();
      await a.run(`${load('10.0.0.2')} ping -D -i 0.2 10.0.0.2 >/tmp/ping.txt 2>&1 &`);
      await sleep(8000);
      await xvifd.end('SIGKILL');
      const dead = Date.now();
      xvifd.spawn();
      await xvifd.answers();
      const ready = Date.now() - dead;
      await xvifd.portOf(a);
      await xvifd.portOf(b);
      const ports = Date.now() - dead;
      await reachable(b, '10.0.0.1', 300);
      await sleep(5000);
      await a.run(`killall -INT ping; ${unload}`);
      const gap = longestGap(await a.run('cat /tmp/ping.txt'));
      that(gap > 0 && gap < 120_000, `the longest pause of the ping is ${gap} ms`);
      equal((await states()).join(), before.join(), 'states of the frontends');
      // Connections of clients that tried too early end on their own time.
      const same = await eventually(
        'it holds what the one before held',
        async () => sameHoldings(held, await holdings(xvifd), GROWTH_KIB),
        30,
      );
      return `API after ${ready} ms, ports after ${ports} ms, longest pause of a ping ${Math.round(gap)} ms; ${same}`;
    },
  );
}

async function destroyedUnderLoad(run: Run, xvifd: Xvifd, b: Guest): Promise<void> {
  const start = (n: number) => Guest.start(`load${n}`, { vifs: [xvifd.vif(n)] });
  const rounds = run.short ? 1 : 3;
  await run.check('a guest destroyed at full load leaves nothing', async () => {
    const round = async () => {
      const guest = await start(9);
      await guest.configure(9);
      await reachable(guest, '10.0.0.2');
      await guest.run(load('10.0.0.2'));
      await generate(guest, { mac: macOf(2), ip: '10.0.0.2' }, { count: 2000, bytes: 60 });
      const flood = generate(guest, { mac: macOf(2), ip: '10.0.0.2' }, { count: 0, bytes: 1400, seconds: 100 });
      flood.catch(() => undefined);
      await sleep(3000);
      const { domid } = guest;
      await guest.destroy();
      await gone(`/local/domain/0/backend/vif/${domid}`);
      await eventually('no zombie', async () => !(await sh('xl', 'list')).includes('(null)'), 240);
    };
    await round();
    const before = await holdings(xvifd);
    for (let n = 0; n < rounds; n++) await round();
    const text = sameHoldings(before, await holdings(xvifd), GROWTH_KIB);
    atLeast((await iperf(b, '10.0.0.1', { megabytes: 4 })).bytes, 4 << 19, 'bytes of the others afterwards');
    return text;
  });
}

/** Of domains. Files and memory of the daemon are compared while guests are connected. */
const OF_DOMAINS = ['grants', 'channels', 'backendNodes', 'watches', 'domains', 'daemonMappings'] as const;

/** Waits until nothing is held that was not before there were guests: xl and xenstored let go a while after a domain. */
async function asBeforeGuests(xvifd: Xvifd, before: Holdings): Promise<string> {
  let after = before;
  const more = () => grown(before, after, 0, [...OF_DOMAINS]);
  try {
    await eventually('nothing more than before the guests', async () => {
      after = await holdings(xvifd);
      return more().length === 0;
    });
  } catch (error) {
    throw new Error(more().join('\n'), { cause: error });
  }
  return OF_DOMAINS.map((key) => `${key} ${before[key]} to ${after[key]}`).join(', ');
}

export const endurance: Scenario = {
  name: 'endurance',
  seconds: 7200,
  shortSeconds: 0,
  run: async (run) => {
    const xvifd = new Xvifd({ workers: 2, args: ['--fail-mode', 'standalone'] });
    await startSwitch(run, xvifd);
    const empty = await holdings(xvifd);
    const guests: Guest[] = [];
    await run.need('two guests talk', async () => {
      guests.push(
        ...(await Promise.all(
          [1, 2].map((n) => Guest.start(`g${n}`, { vifs: [xvifd.vif(n)], memory: n === 1 ? GUEST_MIB : 192 })),
        )),
      );
      for (const [index, guest] of guests.entries()) {
        await guest.configure(index + 1);
        await serveIperf(guest);
        await serveEcho(guest);
      }
      await reachable(guests[0]!, '10.0.0.2');
    });
    const [a, b] = guests as [Guest, Guest];
    await destroyedUnderLoad(run, xvifd, b);
    await comeAndGo(run, xvifd, a);
    await killed(run, xvifd, a, b);
    for (const guest of guests) await guest.destroy();
    await run.check('no domain is left, and nothing of one', async () => {
      await eventually('no domain', async () => (await sh('xl', 'list')).trimEnd().split('\n').length === 2, 240);
      const text = await asBeforeGuests(xvifd, empty);
      const { grants, backendNodes, daemonMappings } = await holdings(xvifd);
      equal(`${grants} ${backendNodes} ${daemonMappings}`, '0 0 0', 'grants, backend nodes, mappings');
      return text;
    });
    await run.check('xvifd ends by itself', async () => equal(await xvifd.end(), 0, 'exit code'));
  },
};
