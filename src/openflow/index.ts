export type { ChannelStatus } from './channel.js';
export { Channels, type ChannelsOptions, type ControllerStatus, type FailMode } from './channels.js';
export type { Role } from './roles.js';
export type { AsyncMessage, Switch } from './switch.js';
export { parseActive, parsePassive, parseTarget, TargetError } from './target.js';
