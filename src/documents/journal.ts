/**
 * A file of changes: eight bytes `XVIFDOC1`, then records of length (u32), CRC-32 of length and payload (u32), payload.
 * Numbers are big-endian. A record counts once it is whole and its checksum is right; the first that is not ends the
 * journal. A change is on the disk when append() returns; the file is written anew, and put in the place of the old one at
 * once, when most of it is not needed any more.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { messageOf } from '../base/error.js';
import type { Logger } from '../base/logger.js';
import { type Change, changed, type Documents, decodeChange, difference, encodeChange } from './change.js';
import { JOURNAL_SLACK_BYTES, RECORD_BYTES_MAX } from './limits.js';

const MAGIC = Buffer.from('XVIFDOC1', 'latin1');
const HEADER_BYTES = 8;

export interface JournalContents {
  readonly documents: Documents;
  /** Bytes from the beginning that are whole. */
  readonly good: number;
  /** What is wrong with the rest; undefined: there is none. */
  readonly damage: string | undefined;
}

function frame(change: Change): Buffer {
  const payload = encodeChange(change);
  if (payload.length > RECORD_BYTES_MAX) throw new RangeError(`documents of ${payload.length} bytes`);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(payload.length, 0);
  header.writeUInt32BE(crc32(payload, crc32(header.subarray(0, 4))), 4);
  return Buffer.concat([header, payload]);
}

/** Takes any bytes; never throws. */
export function readJournal(bytes: Uint8Array): JournalContents {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let documents: Documents = new Map();
  if (file.length === 0) return { documents, good: 0, damage: undefined };
  if (!file.subarray(0, MAGIC.length).equals(MAGIC))
    return { documents, good: 0, damage: 'it does not begin as a journal' };
  let at = MAGIC.length;
  while (at < file.length) {
    const change = readRecord(file, at);
    if (typeof change === 'string') return { documents, good: at, damage: change };
    documents = changed(documents, change.change);
    at = change.end;
  }
  return { documents, good: at, damage: undefined };
}

/** A sentence: what is wrong with it. */
function readRecord(file: Buffer, at: number): { readonly change: Change; readonly end: number } | string {
  const left = file.length - at - HEADER_BYTES;
  const length = left < 0 ? 0 : file.readUInt32BE(at);
  if (length > RECORD_BYTES_MAX) return `a record of ${length} bytes at byte ${at}`;
  if (left < length) return `the record at byte ${at} is cut off`;
  const payload = file.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
  const sum = crc32(payload, crc32(file.subarray(at, at + 4)));
  if (sum !== file.readUInt32BE(at + 4)) return `the checksum of the record at byte ${at} is wrong`;
  try {
    return { change: decodeChange(payload), end: at + HEADER_BYTES + length };
  } catch (error) {
    return `the record at byte ${at} makes no sense: ${messageOf(error)}`;
  }
}

/** The journal of one bridge. The file is made with the first change. */
export class Journal {
  readonly #path: string;
  /** On the disk. */
  #documents: Documents;
  #size: number;
  /** Bytes of the file when it was written anew last. */
  #fresh: number;

  private constructor(path: string, { documents, good }: JournalContents) {
    this.#path = path;
    this.#documents = documents;
    this.#size = good;
    this.#fresh = good;
  }

  /** What is damaged is cut off, kept beside it as `PATH.damaged`, and told in the log. Throws the system's error. */
  static open(path: string, logger: Logger): Journal {
    const bytes = readOrNothing(path);
    const contents = readJournal(bytes);
    const { good, damage } = contents;
    if (damage !== undefined) {
      const rest = bytes.subarray(good);
      writeNew(`${path}.damaged`, rest);
      logger.warn(
        { file: path, damage, bytes: rest.length, kept: `${path}.damaged` },
        'journal of documents: the end of it is cut off',
      );
      withFile(path, CHANGE, (file) => {
        ftruncateSync(file, good);
        fsyncSync(file);
      });
    }
    return new Journal(path, contents);
  }

  get documents(): Documents {
    return this.#documents;
  }

  /** When it returns the change is on the disk. Throws the system's error; the journal is as before then. */
  append(change: Change): void {
    const next = changed(this.#documents, change);
    const bytes = frame(change);
    const spare = this.#size + bytes.length - this.#fresh;
    if (this.#size === 0 || spare > Math.max(JOURNAL_SLACK_BYTES, this.#fresh)) this.#renew(next);
    else this.#add(bytes);
    this.#documents = next;
  }

  #add(bytes: Buffer): void {
    withFile(this.#path, CHANGE, (file) => {
      try {
        writeAll(file, bytes, this.#size);
        fsyncSync(file);
      } catch (error) {
        ftruncateSync(file, this.#size);
        fsyncSync(file);
        throw error;
      }
    });
    this.#size += bytes.length;
  }

  #renew(documents: Documents): void {
    const bytes = Buffer.concat([MAGIC, frame(difference(new Map(), documents))]);
    const path = `${this.#path}.new`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    withFile(dirname(path), constants.O_RDONLY, (folder) => {
      writeNew(path, bytes);
      renameSync(path, this.#path);
      // From here on this is the file, whatever comes.
      this.#size = bytes.length;
      this.#fresh = bytes.length;
      this.#documents = documents;
      fsyncSync(folder);
    });
  }
}

/**
 * The folder may belong to the user that the daemon runs as, while root opens what is in it when it starts: links lead
 * nowhere.
 */
const CHANGE = constants.O_RDWR | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function readOrNothing(path: string): Buffer {
  try {
    let bytes = Buffer.alloc(0);
    withFile(path, READ, (file) => {
      const facts = fstatSync(file);
      if (!facts.isFile() || facts.nlink > 1) throw new Error(`${path} is no file of its own`);
      bytes = readFileSync(file);
    });
    return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** In the place of what has the name now. */
function writeNew(path: string, bytes: Uint8Array): void {
  rmSync(path, { force: true });
  withFile(path, MAKE, (file) => {
    writeAll(file, bytes, 0);
    fsyncSync(file);
  });
}

function withFile(path: string, flags: number, use: (file: number) => void): void {
  const file = openSync(path, flags, 0o600);
  try {
    use(file);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}
