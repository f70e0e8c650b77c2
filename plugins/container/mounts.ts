import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, posix, resolve } from 'node:path'
import type { ProjectRef } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'

/** An entry of `volumes`. `flags`: what the engine gets after the path inside, such as `ro`. */
export type Mount =
  | { readonly kind: 'volume'; readonly name: string; readonly target: string; readonly flags: readonly string[] }
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly flags: readonly string[] }
  | { readonly kind: 'own'; readonly target: string }

/** Flags that engines know; the others of compose's are hints for macOS that no engine needs any more. */
const passedFlags = ['ro', 'rw', 'z', 'Z', 'U', 'nocopy']
const droppedFlags = ['cached', 'delegated', 'consistent']

/** Parses `volumes`. Throws CONFIG_INVALID for an entry that names neither a volume nor a folder. */
export function parseMounts(entries: readonly string[], project: ProjectRef, service: string): readonly Mount[] {
  return entries.map(entry => parseMount(entry, project, service))
}

function parseMount(entry: string, project: ProjectRef, service: string): Mount {
  const wrong = (why: string) =>
    new LocaldError('CONFIG_INVALID', `services.${service}.volumes: '${entry}' ${why}`, {
      service: `${project.name}:${service}`,
      hint: 'Write "NAME:/path", "./folder:/path:ro", or "/path" for a volume of its own.',
    })
  const [first = '', second, third, ...more] = entry.split(':')
  if (more.length > 0) throw wrong('has too many parts')
  if (second === undefined) {
    if (!posix.isAbsolute(first)) throw wrong('is no absolute path inside')
    return { kind: 'own', target: posix.resolve(first) }
  }
  if (!posix.isAbsolute(second)) throw wrong('has no absolute path inside')
  const target = posix.resolve(second)
  const flags = (third ?? '').split(',').filter(flag => flag !== '' && !droppedFlags.includes(flag))
  const unknown = flags.find(flag => !passedFlags.includes(flag))
  if (unknown !== undefined) throw wrong(`has an unknown flag '${unknown}'`)
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(first)) return { kind: 'volume', name: first, target, flags }
  if (/^(?:\.{1,2}(?:\/|$)|\/|~(?:\/|$))/.test(first))
    return { kind: 'bind', source: hostPath(first, project), target, flags }
  throw wrong('names neither a volume nor a folder')
}

function hostPath(written: string, { path }: ProjectRef): string {
  if (written === '~' || written.startsWith('~/')) return join(homedir(), written.slice(1))
  return isAbsolute(written) ? written : resolve(path, written)
}

/**
 * Throws SERVICE_FAILED for a folder that does not exist: docker would make an empty one that belongs to root, and
 * podman would fail.
 */
export async function requireSources(mounts: readonly Mount[], service: string): Promise<void> {
  for (const mount of mounts) {
    if (mount.kind !== 'bind') continue
    const found = await stat(mount.source).catch(() => undefined)
    if (found !== undefined) continue
    throw new LocaldError(
      'SERVICE_FAILED',
      `${mount.source}, which \`volumes\` mounts at ${mount.target}, does not exist`,
      {
        service,
        hint: `Run \`mkdir -p ${mount.source}\`, or correct the path; it is relative to the project.`,
      },
    )
  }
}
