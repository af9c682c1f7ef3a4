/** The exchange of hellos (OpenFlow 1.3.5 §6.3.1, §7.5.1): what to say, and what to make of the peer's first message. */
import { negotiateVersion, versionBitmap } from '../codec/symmetric.js';
import { OFPET, OFPHFC } from '../of13/errors.js';
import type { ErrorMessage, Hello, Message } from '../types/message.js';

export function helloMessage(versions: readonly number[], xid: number): Hello {
  const version = Math.max(...versions);
  return { version, xid, type: 'hello', elements: [versionBitmap(versions)], rest: new Uint8Array(0) };
}

export type Handshake =
  | { readonly ok: true; readonly version: number }
  /** `answer`: what the peer is told; an error is not answered. */
  | { readonly ok: false; readonly reason: string; readonly answer?: ErrorMessage };

/** `first` is undefined when the peer's first message was malformed. */
export function shakeHands(versions: readonly number[], first: Message | undefined): Handshake {
  if (first?.type === 'error') {
    return { ok: false, reason: `the peer refuses: ${Buffer.from(first.data).toString('latin1')}` };
  }
  if (first?.type !== 'hello') return refuse(versions, first?.xid ?? 0, 'the first message is no hello');
  const version = negotiateVersion(versions, first);
  if (version !== undefined) return { ok: true, version };
  const ours = versions.join(', ');
  return refuse(versions, first.xid, `no common version: this side speaks ${ours}, the peer up to ${first.version}`);
}

function refuse(versions: readonly number[], xid: number, reason: string): Handshake {
  const answer: ErrorMessage = {
    version: Math.max(...versions),
    xid,
    type: 'error',
    errorType: OFPET.HELLO_FAILED,
    errorCode: OFPHFC.INCOMPATIBLE,
    data: new Uint8Array(Buffer.from(reason, 'latin1')),
  };
  return { ok: false, reason, answer };
}
