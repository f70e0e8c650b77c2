import { type Process, processList } from '../process-list.ts'

export type { Process }

/** Processes of a sandbox; zombies are none. */
export function processesOf(folder: string): readonly Process[] {
  return processList.naming(folder)
}

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  return processList.isAlive(pid)
}

/** The parent of a process; a service's main process has its keeper. */
export function parentOf(pid: number): number {
  return processList.parentOf(pid)
}
