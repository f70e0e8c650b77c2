import { readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import type { KeysAnswer, RegistryAnswer } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { Client } from '../daemon/client.ts'
import { connectToDaemon } from '../daemon/connect.ts'

/** The names of projects and services that a command line may have. */
export interface Names {
  /** Services of the project of this folder. */
  readonly here: readonly string[]
  readonly projects: readonly string[]
  /** `project:service` of all projects. */
  readonly keys: readonly string[]
}

/** A daemon that takes longer is not waited for: ms. */
const answerMs = 100
/** Names of projects and services. What is none is not offered: a file may have any text. */
const label = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Returns the names that the daemon knows, without starting one, and those in the nearest `locald.toml`. */
export async function findNames(paths: Paths, cwd: string): Promise<Names> {
  const [keys, known] = await Promise.all([
    ask<KeysAnswer>(paths, '/v1/services/keys', { path: '/', all: true }),
    ask<RegistryAnswer>(paths, '/v1/registry', {}),
  ])
  const all = (keys?.keys ?? []).filter(key => key.split(':').every(part => label.test(part)))
  const projects = (known?.projects ?? []).filter(({ name }) => label.test(name))
  const above = projects.filter(({ path }) => cwd === path || cwd.startsWith(path + sep))
  const [own] = above.toSorted((a, b) => b.path.length - a.path.length)
  const running = own === undefined ? [] : all.filter(key => key.startsWith(`${own.name}:`))
  const here = [...running.map(key => key.slice(key.indexOf(':') + 1)), ...readServices(cwd)]
  return { here: [...new Set(here)], projects: projects.map(({ name }) => name), keys: all }
}

/** Returns a daemon's answer; undefined where none runs, or it is late. */
export async function ask<T>(paths: Paths, route: string, query: Readonly<Record<string, string | boolean>>) {
  const asked = async () => {
    const socket = await connectToDaemon(paths)
    return socket === undefined ? undefined : await new Client(paths, socket, 'never').get<T>(route, query, answerMs)
  }
  const late = new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), answerMs).unref())
  return await Promise.race([asked().catch(() => undefined), late])
}

/** Returns the services in the nearest `locald.toml`, by its headings: no more of it needs to be right. */
function readServices(cwd: string): readonly string[] {
  for (let folder = cwd; ; folder = dirname(folder)) {
    try {
      const text = readFileSync(join(folder, 'locald.toml'), 'utf8')
      const names = [...text.matchAll(/^[ \t]*\[services\."?([^\].\s"]+)"?[.\]]/gm)].map(([, name = '']) => name)
      return names.filter(name => label.test(name))
    } catch {
      if (folder === dirname(folder)) return []
    }
  }
}
