/** A learning switch as an OpenFlow 1.3 controller: listens, and serves every switch that connects. */
import { createServer, type Socket } from 'node:net';
import { Session } from 'node-openflow';
import { LearningSwitch } from './learning.js';
import { type Options, parseOptions, usage } from './options.js';

const OPENFLOW_13 = 4;
const KEEP_ALIVE_MS = 10_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function serve(session: Session, peer: string, idleTimeout: number): Promise<void> {
  await session.ready;
  const { datapathId } = await session.request({ type: 'features_request' });
  const name = datapathId.toString(16).padStart(16, '0');
  say(`switch ${name} connected from ${peer}`);
  const learning = new LearningSwitch({ idleTimeout });
  await session.commit(learning.connected());
  for await (const message of session) {
    if (message.type === 'error') say(`switch ${name} refuses: type ${message.errorType}, code ${message.errorCode}`);
    for (const answer of learning.received(message)) {
      if (!session.send(answer).writable) await session.drained();
    }
  }
  say(`switch ${name} left: ${(await session.closed).message}`);
}

function listen(options: Options): void {
  const sessions = new Set<Session>();
  const connected = (socket: Socket) => {
    socket.setNoDelay(true);
    const session = new Session(socket, { versions: [OPENFLOW_13], unknown: 'keep', keepAliveMs: KEEP_ALIVE_MS });
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    sessions.add(session);
    serve(session, peer, options.idleTimeout)
      .catch((error: unknown) => say(`switch at ${peer}: ${String(error)}`))
      .finally(() => {
        sessions.delete(session);
        void session.close();
      });
  };
  const server = createServer(connected);
  const stop = () => {
    server.close();
    for (const session of sessions) void session.close();
    if (process.connected) process.disconnect();
  };
  for (const event of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(event, stop);
  server.on('error', (error) => {
    process.stderr.write(`learning-controller: ${error.message}\n`);
    process.exitCode = 1;
    stop();
  });
  server.listen(options.port, options.host, () => {
    const address = server.address();
    if (address === null || typeof address === 'string') return;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    say(`listening on ${host}:${address.port}`);
  });
}

function main(): void {
  let options: Options | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
    process.exitCode = 2;
    return;
  }
  if (options === 'help') say(usage);
  else listen(options);
}

main();
