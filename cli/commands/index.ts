import type { CommandName } from '../args/commands.ts'
import type { Context } from '../context.ts'

/** Runs a command; the result is the process's exit code. */
export type Command = (context: Context) => Promise<number>

/** Imports the module of each command when it is used: start-up time is part of the interface. */
export const loaders: Readonly<Record<CommandName, () => Promise<Command>>> = {
  up: async () => (await import('./up.ts')).up,
  stop: async () => (await import('./stop.ts')).stop,
  restart: async () => (await import('./up.ts')).restart,
  status: async () => (await import('./status.ts')).status,
  logs: async () => (await import('./logs.ts')).logs,
  monitor: async () => (await import('./monitor.ts')).monitor,
  run: async () => (await import('./run.ts')).run,
  'service reset': async () => (await import('./service.ts')).serviceReset,
  wait: async () => (await import('./wait.ts')).wait,
  why: async () => (await import('./why.ts')).why,
  env: async () => (await import('./env.ts')).env,
  open: async () => (await import('./open.ts')).open,
  dashboard: async () => (await import('./dashboard.ts')).dashboard,
  init: async () => (await import('./init.ts')).init,
  requests: async () => (await import('./requests.ts')).requests,
  'requests show': async () => (await import('./requests-show.ts')).requestsShow,
  replay: async () => (await import('./replay.ts')).replay,
  'config check': async () => (await import('./config.ts')).configCheck,
  'config show': async () => (await import('./config.ts')).configShow,
  'config allow': async () => (await import('./config.ts')).configAllow,
  doctor: async () => (await import('./doctor.ts')).doctor,
  'plugins list': async () => (await import('./plugins.ts')).pluginsList,
  'plugins add': async () => (await import('./plugins-install.ts')).pluginsAdd,
  'plugins remove': async () => (await import('./plugins-install.ts')).pluginsRemove,
  'registry list': async () => (await import('./registry.ts')).registryList,
  'registry pin': async () => (await import('./registry.ts')).registryPin,
  'registry unpin': async () => (await import('./registry.ts')).registryUnpin,
  'registry clean': async () => (await import('./registry.ts')).registryClean,
  'server start': async () => (await import('./server.ts')).serverStart,
  'server shutdown': async () => (await import('./server.ts')).serverShutdown,
  'server restart': async () => (await import('./server.ts')).serverRestart,
  'server status': async () => (await import('./server.ts')).serverStatus,
  'server install': async () => (await import('./server-install.ts')).serverInstall,
  'server uninstall': async () => (await import('./server-install.ts')).serverUninstall,
  'admin setup': async () => (await import('./admin.ts')).adminSetup,
  'admin uninstall': async () => (await import('./admin.ts')).adminUninstall,
  'admin sync-hosts': async () => (await import('./admin.ts')).adminSyncHosts,
  ping: async () => (await import('./server.ts')).ping,
  completion: async () => (await import('./completion.ts')).completion,
  'ai schema': async () => (await import('./ai.ts')).aiSchema,
}
