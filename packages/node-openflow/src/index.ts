/**
 * OpenFlow for Node: codec, framing, sessions.
 *
 * The layers, from below: `wire` reads and writes bytes; `codec` walks the structures every version shares; `structures`,
 * `messages` and `multipart` know the layouts, each in all its versions; `of10` to `of15` are the tables that say which
 * version has which; `types` the values that come out; `match`, `text` and `session` make them comfortable.
 */
export * from './codec/message.js';
export { helloVersions, negotiateVersion, versionBitmap } from './codec/symmetric.js';
export { type ErrorFamily, type ErrorName, errorName, errorTables } from './errors/names.js';
export { type ErrorNumbers, type ErrorPair, errorFor, neutralName, neutralPair } from './errors/neutral.js';
export * from './match/build.js';
export * from './match/prerequisites.js';
export { applyAsync } from './messages/async.js';
export type * from './nicira/action-types.js';
export * as nicira from './nicira/index.js';
export type * from './nicira/message-types.js';
export * as of10 from './of10/index.js';
export * as of11 from './of11/index.js';
export * as of12 from './of12/index.js';
export * as of13 from './of13/index.js';
export * as of14 from './of14/index.js';
export * as of15 from './of15/index.js';
export type { Consumer } from './session/consumer.js';
export { RequestError, SessionError, type SessionFailure } from './session/errors.js';
export type { SendResult, SessionCounters, SessionOptions } from './session/options.js';
export type { ReplyTo, RequestType } from './session/requests.js';
export { Session } from './session/session.js';
export * from './text/addresses.js';
export * from './text/format.js';
export type * from './types/index.js';
export { EncodeError } from './wire/error.js';
export { type FramerOptions, MessageFramer } from './wire/framer.js';
export { WireReader } from './wire/reader.js';
export { WireWriter } from './wire/writer.js';
