/**
 * Records that cross the native boundary: encoders and decoders of everything in docs/native-boundary.md.
 * Decoders of batches that come from above (apply, packet-out, queries) refuse what is malformed, since the model
 * shares them; decoders of what the datapath itself wrote trust its framing.
 */
export * from './records-action.js';
export * from './records-answer.js';
export * from './records-apply.js';
export * from './records-encap.js';
export * from './records-learn.js';
export * from './records-match.js';
export * from './records-nicira.js';
export * from './records-packet-out.js';
export * from './records-query.js';
export * from './records-selection.js';
export * from './records-trace.js';
export * from './records-upcall.js';
export * from './records-writer.js';
