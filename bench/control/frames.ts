/** OpenFlow 1.3 as bytes, made before anything is timed. */
const ANY = 0xffffffff;
export const CONTROLLER = 0xfffffffd;

export const [BARRIER_REPLY, ERROR, PACKET_IN, MULTIPART_REPLY] = [21, 1, 10, 19];

export function message(type: number, body: Buffer, xid = 1): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 4;
  head[1] = type;
  head.writeUInt16BE(8 + body.length, 2);
  head.writeUInt32BE(xid, 4);
  return Buffer.concat([head, body]);
}

export const hello = message(0, Buffer.from('0001000800000010', 'hex'));
export const barrier = (xid = 1): Buffer => message(20, Buffer.alloc(0), xid);
/** Whoever connects to xvifd hears of packets when it has said how much of them. */
export const wantPackets = message(9, Buffer.from('0000ffff', 'hex'));

function outputTo(port: number): Buffer {
  const action = Buffer.alloc(16);
  action.writeUInt16BE(16, 2);
  action.writeUInt32BE(port, 4);
  action.writeUInt16BE(port === CONTROLLER ? 0xffff : 0, 8);
  return action;
}

function applied(port: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(4, 0);
  head.writeUInt16BE(24, 2);
  return Buffer.concat([head, outputTo(port)]);
}

function modify(command: number, priority: number, match: Buffer, instructions: Buffer): Buffer {
  const head = Buffer.alloc(40);
  head[17] = command;
  head[16] = command === 3 ? 0xff : 0;
  head.writeUInt16BE(priority, 22);
  head.writeUInt32BE(ANY, 24);
  head.writeUInt32BE(ANY, 28);
  head.writeUInt32BE(ANY, 32);
  return message(14, Buffer.concat([head, match, instructions]));
}
const matchAll = Buffer.from('0001000400000000', 'hex');

/** IPv4, UDP, destination address and port: a flow per number. */
export function exactFlow(n: number): Buffer {
  const match = Buffer.alloc(40);
  Buffer.from('000100208000 0a02 0800 80001401 11 80001804'.replace(/ /g, ''), 'hex').copy(match);
  match.writeUInt32BE(0x0a000000 + n, 19);
  Buffer.from('80002002', 'hex').copy(match, 23);
  match.writeUInt16BE(n & 0xffff, 27);
  match.writeUInt16BE(29, 2);
  return modify(0, 10, match.subarray(0, 32), applied(2));
}
export const deleteAll = modify(3, 0, matchAll, Buffer.alloc(0));
export const missToController = modify(0, 0, matchAll, applied(CONTROLLER));

/** To TABLE, as if from port 1. */
export function packetOut(frame: Buffer, port = 0xfffffff9): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(ANY, 0);
  head.writeUInt32BE(1, 4);
  head.writeUInt16BE(16, 8);
  return message(13, Buffer.concat([head, outputTo(port), frame]));
}

/** OFPMP_FLOW, all of them. */
export const dumpFlows = (() => {
  const body = Buffer.alloc(40);
  body[1] = 1;
  body[8] = 0xff;
  body.writeUInt32BE(ANY, 12);
  body.writeUInt32BE(ANY, 16);
  return message(18, Buffer.concat([body, matchAll]));
})();

/** ONF extension 230: a bundle, ordered and atomic. */
const onf = (type: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(0x4f4e4600, 0);
  head.writeUInt32BE(type, 4);
  return message(4, Buffer.concat([head, body]));
};
const [OPEN, COMMIT] = [0, 4];
const control = (type: number): Buffer => {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(1, 0);
  body.writeUInt16BE(type, 4);
  body.writeUInt16BE(3, 6);
  return onf(2300, body);
};
export const openBundle = control(OPEN);
export const commitBundle = control(COMMIT);
export function addToBundle(inner: Buffer): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(1, 0);
  body.writeUInt16BE(3, 6);
  return onf(2301, Buffer.concat([body, inner]));
}
