import type { Detection, ProjectDetector, ProjectFolder } from '../../../kernel/contract/plugin.ts'
import { composeNames, findComposeFile } from './files.ts'

/** Loads what reads compose files: a daemon without one is spared it, and the parser of YAML. */
const loadReader = () => import('./index.ts')

/** A compose file: its services are containers. */
export const composeFile: ProjectDetector = {
  files: composeNames,
  description: 'a compose file',
  translator: {
    format: 'compose',
    translate: async (folder, files) => (await loadReader()).translateCompose(folder, files),
  },
  async detect(folder) {
    const file = findComposeFile(folder.path)
    if (file === undefined) return undefined
    if (!hasContainers(folder))
      return {
        reason: `${file} needs containers, and their plugin is off`,
        hint: 'Enable the plugin container: `locald plugins list` shows why it is off.',
      }
    return await (await loadReader()).inferCompose(folder, file)
  },
}

/**
 * Makes a detector that adds the services of a compose file beside what it finds: people start a database by
 * `docker compose up`, and their own program by a script.
 */
export function withCompose(detector: ProjectDetector, hasEngine: () => boolean): ProjectDetector {
  return {
    ...detector,
    async detect(folder) {
      const found = await detector.detect(folder)
      if (found === undefined || 'reason' in found || found.format !== undefined) return found
      const file = findComposeFile(folder.path)
      return file === undefined ? found : await addTo(found, folder, file, hasEngine)
    },
  }
}

async function addTo(
  found: Detection,
  folder: ProjectFolder,
  file: string,
  hasEngine: () => boolean,
): Promise<Detection> {
  if (hasContainers(folder) && hasEngine()) return await (await loadReader()).addCompose(found, folder, file)
  const reason = hasContainers(folder) ? 'no container engine is installed, see `locald doctor`' : 'containers are off'
  return { ...found, notes: [...(found.notes ?? []), `${file} is not used: ${reason}`] }
}

function hasContainers({ types }: ProjectFolder): boolean {
  return types.includes('container')
}
