/*
 * The types of the daemon's HTTP API under `/v1`, for the daemon and its clients; `api/routes/` and `/v1/openapi.json`
 * say which route uses which. Streams are NDJSON: one JSON value a line. An error answer is `{"error": ErrorJson}` with
 * the status of its code.
 */
export type {
  ArgumentValue,
  Argv,
  BootPlan,
  BootStart,
  BootStep,
  BootUnit,
  CommandTable,
  Subcommand,
  TerminalProgram,
  TrustOutcome,
  TrustStep,
} from './contract/plugin.ts'
export type * from './protocol/commands.ts'
export type * from './protocol/config.ts'
export type * from './protocol/daemon.ts'
export type * from './protocol/disk.ts'
export type * from './protocol/doctor.ts'
export type * from './protocol/environment.ts'
export type * from './protocol/graph.ts'
export type * from './protocol/leases.ts'
export type * from './protocol/logs.ts'
export type * from './protocol/one-off.ts'
export type * from './protocol/opener.ts'
export type * from './protocol/plugins.ts'
export type * from './protocol/ports.ts'
export type * from './protocol/projects.ts'
export type * from './protocol/redact.ts'
export type * from './protocol/registry.ts'
export type * from './protocol/runs.ts'
export type * from './protocol/services.ts'
export type * from './protocol/stream.ts'
export type * from './protocol/terminals.ts'
export type * from './protocol/why.ts'
