/**
 * TLS for OpenFlow: 1.2 or later, with certificates on both sides. As with Open vSwitch a peer is whoever has a
 * certificate from our authority; the name in it is not looked at.
 */
import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { messageOf } from '../base/error.js';
import { HANDSHAKE_MS } from './limits.js';
import type { TlsCredentials, TlsIdentity } from './tls-credentials.js';
import { alertWords, certificateWords, handshakeWords } from './tls-words.js';

function secure({ key, cert, ca }: TlsIdentity): SecureContextOptions {
  return {
    key,
    cert,
    // Not those of the system, while there are none of ours.
    ca: ca ?? [],
    minVersion: 'TLSv1.2',
    // A session that is resumed would be taken without looking at the certificate again, files changed or not.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Why the peer of a finished handshake is not to be served; undefined: it may be. */
function refusal(socket: TLSSocket, { ca }: TlsIdentity, credentials: TlsCredentials): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'it has no certificate';
  if (ca === undefined) return credentials.adopt(topOf(certificate)) ?? 'its CA certificate is ours now: connect again';
  if (socket.authorized) return undefined;
  return certificateWords(String(socket.authorizationError), certificate);
}

/** The last certificate of a chain as it was sent. */
function topOf(certificate: X509Certificate): X509Certificate {
  let top = certificate;
  while (top.issuerCertificate !== undefined && top.issuerCertificate.fingerprint256 !== top.fingerprint256) {
    top = top.issuerCertificate;
  }
  return top;
}

/** From here on errors say what they mean. */
function served(socket: TLSSocket): TLSSocket {
  socket.prependListener('error', (error) => {
    error.message = alertWords(error);
  });
  return socket;
}

/** A connected and verified socket; rejects with a sentence. The socket is gone then, as it is once `signal` aborts. */
export function dialTls(
  target: { readonly host: string; readonly port: number },
  credentials: TlsCredentials,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const identity = credentials.identity();
    const socket = connect({
      ...secure(identity),
      ...target,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const finish = (reason?: string) => {
      signal.removeEventListener('abort', abort);
      socket.off('secureConnect', check);
      if (reason === undefined) return resolve(served(socket.setNoDelay()));
      reject(new Error(reason));
      socket.destroy();
    };
    const check = () => finish(refusal(socket, identity, credentials));
    const abort = () => finish('called off');
    // Stays: an error between here and whoever takes the socket over must find a listener.
    socket.on('error', (error) => finish(handshakeWords(error)));
    signal.addEventListener('abort', abort);
    socket.once('secureConnect', check);
  });
}

export interface TlsDoorOptions {
  readonly credentials: TlsCredentials;
  /** A verified socket. `from` is as it was handed in. */
  readonly admit: (socket: TLSSocket, from: string) => void;
  /** With a sentence. The socket is gone. */
  readonly refuse: (reason: string, from: string) => void;
}

/** Takes accepted connections through the handshake. */
export class TlsDoor {
  readonly #options: TlsDoorOptions;
  /** In the handshake. */
  readonly #waiting = new Set<Socket>();
  #closed = false;

  constructor(options: TlsDoorOptions) {
    this.#options = options;
  }

  enter(raw: Socket, from: string): void {
    let identity: TlsIdentity;
    try {
      identity = this.#options.credentials.identity();
    } catch (error) {
      this.#refuse(messageOf(error), raw, from);
      return;
    }
    this.#waiting.add(raw);
    // One for each, as the files may have changed. It listens nowhere.
    const server = createServer({
      ...secure(identity),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on('secureConnection', (socket) => {
      // Stays: an error between here and whoever takes the socket over must find a listener.
      socket.on('error', () => {});
      const reason = refusal(socket, identity, this.#options.credentials);
      if (reason !== undefined) {
        socket.destroy();
        this.#refuse(reason, raw, from);
        return;
      }
      this.#waiting.delete(raw);
      this.#options.admit(served(socket.setNoDelay()), from);
    });
    server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      this.#refuse(handshakeWords(error), raw, from);
    });
    server.emit('connection', raw);
  }

  /** Ends what is in the handshake. */
  close(): void {
    this.#closed = true;
    for (const raw of this.#waiting) raw.destroy();
  }

  #refuse(reason: string, raw: Socket, from: string): void {
    raw.destroy();
    this.#waiting.delete(raw);
    if (!this.#closed) this.#options.refuse(reason, from);
  }
}
