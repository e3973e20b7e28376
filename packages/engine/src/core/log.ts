/** The part of a pino logger that the engine uses. Values must hold no secret and no phone number. */
export interface Log {
  isLevelEnabled(level: 'debug' | 'info'): boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: Log = { isLevelEnabled: () => false, debug() {}, info() {}, warn() {}, error() {} };
