import type { ProjectRef } from '../contract/plugin.ts'
import { fileShape, requireShape } from '../system/file-shape.ts'
import { type FolderIdentity, identifyFolder } from './folder-identity.ts'
import { worktreeIn } from './git-worktree.ts'

/** A known project: its identity and the ports its services have had, by the names of the leases. */
export interface KnownProject extends ProjectRef {
  /** The name and domain that the configuration asks for; the assigned ones may differ. */
  readonly wanted: { readonly name: string; readonly domain: string }
  readonly services: readonly string[]
  readonly ports: Readonly<Record<string, number>>
  readonly pinned: boolean
  /** UTC ISO 8601 of the last `up`. */
  readonly usedAt: string
  /** The folder at the last `up`, and git's own folder of the linked worktree that it was in. */
  readonly folder?: FolderIdentity
  readonly gitDir?: string
}

const text = { type: 'string' } as const
const number = { type: 'number' } as const
const registryShape = fileShape({
  type: 'object',
  required: ['projects'],
  properties: {
    projects: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'path', 'domain', 'wanted', 'services', 'ports', 'pinned', 'usedAt'],
        properties: {
          name: text,
          path: text,
          domain: text,
          wanted: { type: 'object', required: ['name', 'domain'], properties: { name: text, domain: text } },
          services: { type: 'array', items: text },
          ports: { type: 'object', additionalProperties: { type: 'integer' } },
          pinned: { type: 'boolean' },
          usedAt: text,
          folder: {
            type: 'object',
            required: ['dev', 'ino', 'birthtimeMs'],
            properties: { dev: number, ino: number, birthtimeMs: number },
          },
          gitDir: text,
        },
      },
    },
  },
})

/** Returns what a folder can be recognized by after it was moved or deleted. */
export function placeOf(path: string): Pick<KnownProject, 'folder' | 'gitDir'> {
  const folder = identifyFolder(path)
  const gitDir = worktreeIn(path)?.gitDir
  return { ...(folder === undefined ? {} : { folder }), ...(gitDir === undefined ? {} : { gitDir }) }
}

/** Returns the projects in the content of the registry's file; throws what is wrong with it. */
export function projectsIn(value: unknown): readonly KnownProject[] {
  return value === undefined ? [] : requireShape(value, registryShape).projects
}
