/** One entry per request type: how its payload is read, what is done, what is answered. */
import { parseDecimal } from '../../base/decimal.js';
import { DOMID_MAX, formatPermission, type Permission, parsePermission } from '../permissions.js';
import { joinStrings, type Message, MessageType, splitStrings, textOf } from '../wire.js';
import type { Connection } from './connection.js';
import type { Domains } from './domains.js';
import { StoreFailure } from './failure.js';
import type { MemoryNodes, NodeView } from './nodes.js';
import * as operations from './operations.js';
import { canonical, homeOf } from './paths.js';

export interface Context {
  readonly connection: Connection;
  readonly message: Message;
  readonly nodes: MemoryNodes;
  /** The nodes, or the transaction the message names. */
  readonly view: NodeView;
  readonly domains: Domains;
  /** Runs after the reply was queued: what is to be seen later than the reply. */
  afterReply(action: () => void): void;
}

interface Handler {
  /** Only for domain 0. */
  readonly privileged?: true;
  /** The transaction id of the message means nothing. */
  readonly noTransaction?: true;
  /** Returns the payload of the reply; fails with {@link StoreFailure}. */
  readonly run: (context: Context) => Buffer;
}

const acknowledged = joinStrings('OK');

/** The one string that is the whole payload. */
function onlyString({ message }: Context): string {
  const strings = splitStrings(message.payload);
  if (strings?.length !== 1) throw new StoreFailure('EINVAL');
  return strings[0]!;
}

function strings({ message }: Context, min: number, max = min): string[] {
  const all = splitStrings(message.payload);
  if (all === undefined || all.length < min || all.length > max) throw new StoreFailure('EINVAL');
  return all;
}

function domidOf(text: string): number {
  const domid = parseDecimal(text, 0, DOMID_MAX);
  if (domid === undefined) throw new StoreFailure('EINVAL');
  return domid;
}

/** A path with its NUL and then any bytes. */
function write(context: Context): Buffer {
  const { payload } = context.message;
  const end = payload.indexOf(0);
  if (end < 0) throw new StoreFailure('EINVAL');
  const path = textOf(payload.subarray(0, end));
  operations.write(context.view, context.connection.caller, path, payload.subarray(end + 1));
  return acknowledged;
}

function setPermissions(context: Context): Buffer {
  const [path, ...texts] = strings(context, 2, Number.MAX_SAFE_INTEGER);
  const permissions = texts.map((text): Permission => {
    const permission = parsePermission(text);
    if (permission === undefined) throw new StoreFailure('EINVAL');
    return permission;
  });
  operations.setPermissions(context.view, context.connection.caller, path!, permissions);
  return acknowledged;
}

function directoryPart(context: Context): Buffer {
  const [path, text] = strings(context, 2);
  const offset = parseDecimal(text!, 0, Number.MAX_SAFE_INTEGER);
  if (offset === undefined) throw new StoreFailure('EINVAL');
  return operations.directoryPart(context.view, context.connection.caller, path!, offset);
}

function watchPath(context: Context, path: string): string {
  const { domid, quota } = context.connection.caller;
  return canonical(path, domid, quota.pathLength, true);
}

function watch(context: Context): Buffer {
  const [path, token] = strings(context, 2) as [string, string];
  const { connection } = context;
  const absolute = watchPath(context, path);
  connection.addWatch(absolute, token, absolute === path ? 0 : homeOf(connection.caller.domid).length + 1);
  context.afterReply(() => connection.sendEvent(path, token));
  return acknowledged;
}

function unwatch(context: Context): Buffer {
  const [path, token] = strings(context, 2) as [string, string];
  context.connection.removeWatch(watchPath(context, path), token);
  return acknowledged;
}

function transactionStart(context: Context): Buffer {
  if (context.message.transactionId !== 0) throw new StoreFailure('EBUSY');
  return joinStrings(String(context.connection.startTransaction(context.nodes)));
}

function transactionEnd(context: Context): Buffer {
  const verdict = onlyString(context);
  const { connection, message, domains } = context;
  if (message.transactionId === 0) throw new StoreFailure('ENOENT');
  if (verdict !== 'T' && verdict !== 'F') throw new StoreFailure('EINVAL');
  const transaction = connection.transaction(message.transactionId);
  connection.endTransaction(message.transactionId);
  if (verdict === 'T') {
    const { domid, quota } = connection.caller;
    domains.holdingEvents(context, () => transaction.commit(domid, quota.nodes));
  }
  return acknowledged;
}

function introduce(context: Context): Buffer {
  const [domid, gfn, evtchn] = strings(context, 3);
  const valid = [gfn, evtchn].every((text) => parseDecimal(text!, 0, Number.MAX_SAFE_INTEGER) !== undefined);
  if (!valid) throw new StoreFailure('EINVAL');
  const introduced = domidOf(domid!);
  if (introduced === 0) throw new StoreFailure('EINVAL');
  context.domains.holdingEvents(context, () => context.domains.introduce(introduced));
  return acknowledged;
}

function release(context: Context): Buffer {
  const domid = domidOf(onlyString(context));
  if (domid === 0) throw new StoreFailure('EINVAL');
  if (!context.domains.isIntroduced(domid)) throw new StoreFailure('ENOENT');
  context.domains.holdingEvents(context, () => context.domains.release(domid));
  return acknowledged;
}

function setTarget(context: Context): Buffer {
  const [domid, target] = strings(context, 2).map(domidOf) as [number, number];
  if (!context.domains.isIntroduced(domid) || !context.domains.isIntroduced(target)) throw new StoreFailure('ENOENT');
  context.domains.setTarget(domid, target);
  return acknowledged;
}

/** No control command is implemented, and the answer says so as xenstored does for one it does not know. */
function control(): Buffer {
  throw new StoreFailure('EINVAL');
}

/** Changes whose events the originator too shall see after its reply. */
function changing(run: (context: Context) => Buffer): (context: Context) => Buffer {
  return (context) => {
    let reply = acknowledged;
    context.domains.holdingEvents(context, () => {
      reply = run(context);
    });
    return reply;
  };
}

export const handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [MessageType.control, { privileged: true, run: control }],
  [
    MessageType.directory,
    { run: (context) => operations.directory(context.view, context.connection.caller, onlyString(context)) },
  ],
  [
    MessageType.read,
    { run: (context) => operations.read(context.view, context.connection.caller, onlyString(context)) },
  ],
  [
    MessageType.getPerms,
    {
      run: (context) => {
        const list = operations.getPermissions(context.view, context.connection.caller, onlyString(context));
        return joinStrings(...list.map(formatPermission));
      },
    },
  ],
  [MessageType.watch, { noTransaction: true, run: watch }],
  [MessageType.unwatch, { noTransaction: true, run: unwatch }],
  [MessageType.transactionStart, { noTransaction: true, run: transactionStart }],
  [MessageType.transactionEnd, { noTransaction: true, run: transactionEnd }],
  [MessageType.introduce, { privileged: true, noTransaction: true, run: introduce }],
  [MessageType.release, { privileged: true, noTransaction: true, run: release }],
  [
    MessageType.getDomainPath,
    { noTransaction: true, run: (context) => joinStrings(homeOf(domidOf(onlyString(context)))) },
  ],
  [MessageType.write, { run: changing(write) }],
  [
    MessageType.mkdir,
    {
      run: changing((context) => {
        operations.mkdir(context.view, context.connection.caller, onlyString(context));
        return acknowledged;
      }),
    },
  ],
  [
    MessageType.rm,
    {
      run: changing((context) => {
        operations.rm(context.view, context.connection.caller, onlyString(context));
        return acknowledged;
      }),
    },
  ],
  [MessageType.setPerms, { run: changing(setPermissions) }],
  [
    MessageType.isDomainIntroduced,
    {
      noTransaction: true,
      run: (context) => joinStrings(context.domains.isIntroduced(domidOf(onlyString(context))) ? 'T' : 'F'),
    },
  ],
  [
    MessageType.resume,
    {
      privileged: true,
      noTransaction: true,
      run: (context) => {
        if (!context.domains.isIntroduced(domidOf(onlyString(context)))) throw new StoreFailure('ENOENT');
        return acknowledged;
      },
    },
  ],
  [MessageType.setTarget, { privileged: true, noTransaction: true, run: setTarget }],
  [
    MessageType.resetWatches,
    {
      noTransaction: true,
      run: (context) => {
        context.connection.removeWatches();
        return acknowledged;
      },
    },
  ],
  [MessageType.directoryPart, { run: directoryPart }],
  // No reconnection, no error word, no watch depth: none of them exists here.
  [MessageType.getFeature, { noTransaction: true, run: () => joinStrings('0') }],
]);
