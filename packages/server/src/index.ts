export { ConfigError, loadConfig, VARIABLES, type Config, type Environment } from './config.ts';
export { DEMO, demoSteps, LISTEN_PORT } from './demo.ts';
export { WRITE_LIMITS } from './accounts/write-limits.ts';
export { PROBLEMS } from './http/operator/problems.ts';
export { DirectoryStore } from './lists/files.ts';
export { LIST_LIMITS } from './lists/limits.ts';
export { serverMigrations } from './migrations.ts';
export { startServer, type RunningServer } from './server.ts';
export { VERSION } from './version.ts';
