export type { ChannelStatus } from './channel.js';
export { Channels, type ChannelsOptions, type ControllerStatus } from './channels.js';
export type { FailMode } from './fail-mode.js';
export { AUXILIARY_MAX } from './limits.js';
export { PROTOCOLS, parseProtocols } from './protocols.js';
export type { Role } from './roles.js';
export type { Switch } from './switch.js';
export { needsTls, parseActive, parsePassive, parseTarget, TargetError } from './target.js';
export { TlsCredentials, type TlsFiles } from './tls-credentials.js';
