import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { basename, join } from 'node:path'
import type { FolderEvent } from '../../kernel/contract/plugin.ts'

/** Pause between polls of all folders: ms. */
const intervalMs = 5000
/** In a folder with more entries only the folder itself is polled. */
const mostEntries = 1000

type FolderListener = (event: FolderEvent, name: string | null) => void

/** The state of a folder and its entries. */
interface FolderState {
  /** Undefined: it does not exist. */
  readonly folder: string | undefined
  readonly entries: ReadonlyMap<string, { readonly id: string; readonly state: string }>
}

interface PolledFolder {
  readonly path: string
  readonly listener: FolderListener
  state: FolderState
}

/**
 * Polls folders. FSEvents cannot watch one folder alone: a watch of the folder above a project, often the home folder,
 * would wake the daemon for every write below it.
 */
export class FolderPolls {
  readonly #folders = new Set<PolledFolder>()
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(everyMs: number = intervalMs) {
    this.#intervalMs = everyMs
  }

  /** Throws the system's error when the folder does not exist or cannot be read. */
  open(path: string, listener: FolderListener): { close(): void } {
    const polled: PolledFolder = { path, listener, state: readState(path) }
    if (polled.state.folder === undefined) readdirSync(path)
    this.#folders.add(polled)
    this.#timer ??= setInterval(() => this.#pollAll(), this.#intervalMs).unref()
    return {
      close: () => {
        this.#folders.delete(polled)
        if (this.#folders.size > 0) return
        clearInterval(this.#timer)
        this.#timer = undefined
      },
    }
  }

  #pollAll(): void {
    for (const polled of [...this.#folders]) {
      const { path, listener, state } = polled
      polled.state = readState(path)
      for (const [event, name] of changesOf(path, state, polled.state)) listener(event, name)
    }
  }
}

function readState(path: string): FolderState {
  try {
    const folder = lstatSync(path)
    const names = readdirSync(path)
    const seen = names.length > mostEntries ? [] : names.map(name => [name, entryOf(join(path, name))] as const)
    const entries = new Map(seen.flatMap(([name, it]) => (it === undefined ? [] : [[name, it]])))
    return { folder: `${idOf(folder)}${names.length > mostEntries ? ` ${folder.mtimeMs}` : ''}`, entries }
  } catch {
    return { folder: undefined, entries: new Map() }
  }
}

function entryOf(path: string): { readonly id: string; readonly state: string } | undefined {
  const info = lstatSync(path, { throwIfNoEntry: false })
  // The entries of a subfolder are not polled: their creation and deletion is no change of it.
  return info && { id: idOf(info), state: info.isDirectory() ? '' : `${info.mtimeMs} ${info.size}` }
}

function idOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev} ${ino} ${birthtimeMs}`
}

function changesOf(path: string, before: FolderState, now: FolderState): readonly (readonly [FolderEvent, string])[] {
  if (before.folder !== now.folder) return [['rename', basename(path)]]
  const names = [...new Set([...before.entries.keys(), ...now.entries.keys()])]
  return names.flatMap((name): readonly (readonly [FolderEvent, string])[] => {
    const [was, is] = [before.entries.get(name), now.entries.get(name)]
    if (was?.id !== is?.id) return [['rename', name]]
    return was?.state === is?.state ? [] : [['change', name]]
  })
}
