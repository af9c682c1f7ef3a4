/** Limits of this folder: what is kept of documents. Those of a single file are the compiler's. */

/** Documents of one bridge. */
export const DOCUMENTS_MAX = 1000;
/** Bytes of their texts, all together. */
export const TEXT_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of one record of a journal: all documents, and what is said about them. */
export const RECORD_BYTES_MAX = TEXT_BYTES_MAX + 16 * 1024 * 1024;
/** A journal is written anew when what it does not need any more is more than this and more than what it does. */
export const JOURNAL_SLACK_BYTES = 64 * 1024;
/** After a port came or went, others may follow: what is compiled is compiled for all of them. */
export const PORTS_SETTLE_MS = 100;
/** What could not be put into force is tried again after this, then less and less often. */
export const RETRY_FIRST_MS = 10_000;
export const RETRY_MAX_MS = 300_000;
/** Tries to read the tables while nobody changes them. */
export const READ_TRIES = 4;
/** Tries to compile documents while ports that they name come and go. */
export const COMPILE_TRIES = 4;
/** Changes that are put back one by one before others have their turn. */
export const PUT_BACK_AT_ONCE = 256;
/** Longest time for a confirmation. */
export const CONFIRM_MAX_MS = 24 * 60 * 60 * 1000;
