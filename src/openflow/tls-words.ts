/** What is wrong with a TLS peer, in words. "It" is the peer. */
import type { X509Certificate } from 'node:crypto';
import { messageOf } from '../base/error.js';
import { oneLine } from './tls-credentials.js';

const unknownAuthority: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
];

/** `code` is OpenSSL's verdict over a peer's certificate. */
export function certificateWords(code: string, certificate: X509Certificate): string {
  const { issuer, validFrom, validTo } = certificate;
  if (unknownAuthority.includes(code)) return `its certificate is not from our CA but from ${oneLine(issuer)}`;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return Date.parse(validTo) < Date.now()
        ? `its certificate expired on ${validTo}`
        : 'a certificate between its own and our CA has expired';
    case 'CERT_NOT_YET_VALID':
      return `its certificate is not valid before ${validFrom}`;
    case 'INVALID_PURPOSE':
      return 'its certificate is for another purpose';
    default:
      return `its certificate is refused: ${code}`;
  }
}

/** By the end of the error's code; the beginning differs between versions of OpenSSL. */
const alerts: readonly (readonly [RegExp, string])[] = [
  [
    /(WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE|RECORD_LAYER_FAILURE)$/,
    'it does not speak TLS',
  ],
  [/(UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|VERSION_TOO_LOW)$/, 'it speaks no TLS of version 1.2 or later'],
  [/(NO_SHARED_CIPHER|NO_SUITABLE_SIGNATURE_ALGORITHM|ALERT_HANDSHAKE_FAILURE)$/, 'it has no cipher in common with us'],
  [/ALERT_UNKNOWN_CA$/, 'it does not know the CA of our certificate'],
  [/ALERT_CERTIFICATE_EXPIRED$/, 'it says that our certificate has expired'],
  [/ALERT_CERTIFICATE_REVOKED$/, 'it says that our certificate was revoked'],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_REQUIRED|ACCESS_DENIED)$/,
    'it does not take our certificate',
  ],
];

/** Why a handshake failed, or why a peer ended the connection right after it. */
export function handshakeWords(error: unknown): string {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'it began no TLS handshake in time';
  // Without a system call: the connection was there, and ended too early.
  if (code === 'ECONNRESET' && syscall !== 'connect') return 'it ended the connection during the TLS handshake';
  return alerts.find(([end]) => end.test(code))?.[1] ?? messageOf(error);
}

/** Of an error that comes later, from the peer's side of the handshake or not. */
export function alertWords(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return code.startsWith('ERR_SSL_') ? handshakeWords(error) : error.message;
}
