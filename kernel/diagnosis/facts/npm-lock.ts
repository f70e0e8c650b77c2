import { join } from 'node:path'
import { readTextFile } from '../../lib/text-file.ts'
import { type FileShape, fileShape, hasShape } from '../../system/file-shape.ts'

/** A larger lock file is not compared: bytes. */
const largest = 8 * 1024 * 1024

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly peer?: boolean
  readonly link?: boolean
}

const flag = { type: 'boolean' } as const
const lockShape: FileShape<{ readonly packages: Readonly<Record<string, LockedPackage>> }> = fileShape({
  type: 'object',
  required: ['packages'],
  properties: {
    packages: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { version: { type: 'string' }, dev: flag, optional: flag, peer: flag, link: flag },
      },
    },
  },
})

/**
 * Returns how the installed packages of a folder differ from its package-lock.json, each in words, by the list that npm
 * keeps in node_modules; undefined where one of them cannot be read.
 */
export async function lockDifferences(folder: string): Promise<readonly string[] | undefined> {
  const [locked, installed] = await Promise.all([
    readLock(join(folder, 'package-lock.json')),
    readLock(join(folder, 'node_modules', '.package-lock.json')),
  ])
  if (locked === undefined || installed === undefined) return undefined
  return Object.entries(locked).flatMap(([path, { version, dev, optional, peer, link }]) => {
    const [, name] = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? []
    const present = installed[path]
    if (name === undefined || link === true || version === undefined) return []
    // Left out on other platforms, or by an installation for production.
    if (present === undefined) return dev === true || optional === true || peer === true ? [] : [`${name} is missing`]
    return present.version === version ? [] : [`${name} is ${present.version ?? 'another'}, not ${version}`]
  })
}

async function readLock(file: string): Promise<Readonly<Record<string, LockedPackage>> | undefined> {
  const read = await readTextFile(file, { bytes: largest })
  if (read === undefined || 'fault' in read) return undefined
  try {
    const lock: unknown = JSON.parse(read.text)
    return hasShape(lock, lockShape) ? lock.packages : undefined
  } catch {
    return undefined
  }
}
