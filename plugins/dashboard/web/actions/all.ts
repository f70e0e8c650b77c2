import { daemonActions, screenActions } from './daemon.ts'
import { databaseActions } from './database.ts'
import { projectActions } from './project.ts'
import { register } from './registry.ts'
import { serviceActions } from './service.ts'

/** Registers what can be done on every screen. */
export function registerCommon(): void {
  register([...serviceActions, ...databaseActions, ...projectActions, ...screenActions, ...daemonActions])
}
