/** TLS without certificates: files that are of no use, and words. What needs certificates is in test/interop. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogFields, Logger } from '../../../src/base/logger.js';
import { silentLogger } from '../../../src/base/logger.js';
import { Listener } from '../../../src/openflow/listener.js';
import { TlsCredentials, type TlsFiles } from '../../../src/openflow/tls-credentials.js';
import { alertWords, handshakeWords } from '../../../src/openflow/tls-words.js';
import { until } from './bed.js';

let folder: string;
let files: TlsFiles;
let lines: string[];
const logger: Logger = {
  ...silentLogger,
  warn: (fields: LogFields, message: string) => lines.push(`${message}: ${fields.reason}`),
};
let credentials: TlsCredentials | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xvif-tls-'));
  const at = (name: string) => join(folder, name);
  files = { privateKey: at('key.pem'), certificate: at('cert.pem'), caCert: at('ca.pem'), bootstrap: false };
  lines = [];
});
afterEach(() => {
  credentials?.close();
  rmSync(folder, { recursive: true });
});

describe('files that are of no use', () => {
  it('are told once, and again when they change', async () => {
    credentials = new TlsCredentials(files, logger);
    expect(() => credentials!.identity()).toThrow(/^cannot read the private key: ENOENT.*key\.pem/);
    expect(() => credentials!.identity()).toThrow();
    expect(lines).toEqual([expect.stringMatching(/^TLS is of no use: cannot read the private key/)]);
    writeFileSync(files.privateKey, '-----BEGIN PRIVATE KEY-----\n');
    // Without a connection, as the folder is watched.
    await until(() => lines.length > 1);
    expect(lines[1]).toContain('cannot read the certificate: ENOENT');
  });

  it('whatever is in them there is a sentence', () => {
    credentials = new TlsCredentials(files, logger);
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '',
        '-----BEGIN CERTIFICATE-----',
        '-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n',
      ),
      fc.string().map((inner) => `-----BEGIN CERTIFICATE-----\n${inner}\n-----END CERTIFICATE-----\n`),
    );
    fc.assert(
      fc.property(text, text, text, (key, cert, ca) => {
        writeFileSync(files.privateKey, key);
        writeFileSync(files.certificate, cert);
        writeFileSync(files.caCert, ca);
        expect(() => credentials!.identity()).toThrow(/^(private key|there is no|a certificate) .+/);
      }),
      { numRuns: 200 },
    );
  });

  it('let nobody in, and the listener says why', async () => {
    credentials = new TlsCredentials(files, logger);
    const listener = await Listener.open({
      target: { kind: 'pssl', host: '127.0.0.1', port: 0 },
      tls: credentials,
      serve: () => expect.unreachable(),
      logger,
    });
    const socket = connect(Number(listener.name.split(':')[1]), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'close');
    expect(listener.lastRefusal).toMatch(/^127\.0\.0\.1:\d+ was refused: cannot read the private key/);
    await listener.stop();
  });
});

describe('words', () => {
  const error = (code: string, message = 'raw words of OpenSSL', more = {}) =>
    Object.assign(new Error(message), { code, ...more });

  it.each([
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS'],
    ['ERR_SSL_HTTP_REQUEST', 'it does not speak TLS'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'it speaks no TLS of version 1.2 or later'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'it speaks no TLS of version 1.2 or later'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'it does not know the CA of our certificate'],
    // As OpenSSL 3.2 spells it.
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'it says that our certificate has expired'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'it says that our certificate has expired'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'it does not take our certificate'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'it began no TLS handshake in time'],
    ['ECONNRESET', 'it ended the connection during the TLS handshake'],
    ['ERR_SSL_NEVER_SEEN', 'raw words of OpenSSL'],
  ])('%s', (code, words) => {
    expect(handshakeWords(error(code))).toBe(words);
  });

  it('a connection that was reset before it was one is no handshake', () => {
    expect(handshakeWords(error('ECONNRESET', 'reset', { syscall: 'connect' }))).toBe('reset');
  });

  it('later only TLS has other words', () => {
    expect(alertWords(error('ECONNRESET', 'read ECONNRESET'))).toBe('read ECONNRESET');
    expect(alertWords(error('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'))).toBe('it does not know the CA of our certificate');
  });
});
