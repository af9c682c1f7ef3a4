/** Debian's ovs-ofctl as a second reader of the same bytes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMessage } from '../../src/index.js';

/** What `ovs-ofctl ofp-print` says about one message. Throws where ovs-ofctl is missing: that is a failure, not a skip. */
export function ofpPrint(bytes: Uint8Array): string {
  const text = execFileSync('ovs-ofctl', ['ofp-print', Buffer.from(bytes).toString('hex')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return clean(text);
}

const clean = (text: string): string => text.replace(/[ \t]+$/gm, '').trimEnd();

/** The same for many messages in one run: a stream of them, each followed by a barrier reply that marks its end. */
export function ofpParse(messages: readonly Uint8Array[]): string[] {
  const firstMark = 0xfeed0000;
  const mark = (index: number): Uint8Array =>
    encodeMessage({ version: 4, xid: firstMark + index, type: 'barrier_reply' });
  const stream = Buffer.concat(messages.flatMap((bytes, index) => [bytes, mark(index)]));
  const folder = mkdtempSync(join(tmpdir(), 'ofp-parse-'));
  try {
    const file = join(folder, 'stream');
    writeFileSync(file, stream);
    const text = execFileSync('ovs-ofctl', ['ofp-parse', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const parts = text.split(/^OFPT_BARRIER_REPLY \(OF1\.3\) \(xid=0xfeed[0-9a-f]{4}\):.*\n/m);
    if (parts.length !== messages.length + 1) throw new Error(`${parts.length - 1} of ${messages.length} were read`);
    return parts.slice(0, -1).map(clean);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
