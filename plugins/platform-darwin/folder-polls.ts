import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { basename, join } from 'node:path'
import type { FolderEvent } from '../../kernel/contract/plugin.ts'

/** A look at all folders, and the pause before the next: ms. */
const intervalMs = 5000
/** Of a folder with more entries than this only the folder itself is looked at. */
const mostEntries = 1000

type FolderListener = (event: FolderEvent, name: string | null) => void

/** What a folder and its entries were like. */
interface FolderState {
  /** Undefined: it is not there. */
  readonly folder: string | undefined
  readonly entries: ReadonlyMap<string, { readonly id: string; readonly state: string }>
}

interface PolledFolder {
  readonly path: string
  readonly listener: FolderListener
  state: FolderState
}

/**
 * Folders that are looked at now and then. FSEvents has no watch of one folder alone: whoever watches the folder above a project, often
 * the home folder, is woken for whatever is written below it.
 */
export class FolderPolls {
  readonly #folders = new Set<PolledFolder>()
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(everyMs: number = intervalMs) {
    this.#intervalMs = everyMs
  }

  /** Throws the system's error where there is no such folder, or it may not be read. */
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
  // Of a folder the entries are not looked at: their coming and going is no change of it.
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
