export { FOREIGN_SETTINGS } from './foreign-settings.ts';
export { ConfigError, loadConfig } from './load.ts';
export type { Config } from './load.ts';
export { SETTINGS } from './settings.ts';
export type { Setting } from './setting.ts';
