import { labelOf, type ProjectDetector, type ProjectFolder } from '../../kernel/contract/plugin.ts'

/** Folders of the parts of a project, that with the pages first. */
const names = [
  ...['frontend', 'client', 'web', 'webapp', 'ui', 'app', 'www', 'website', 'site'],
  ...['backend', 'server', 'api', 'service'],
]

/** A project without files of its own whose parts are in folders such as `frontend` and `backend`. */
export function parts(detectors: readonly ProjectDetector[]): ProjectDetector {
  return {
    files: names,
    async detect(folder) {
      const dirs = (await folder.list('.')).flatMap(({ name, kind }) => (kind === 'folder' ? [name] : []))
      const services: Record<string, Readonly<Record<string, unknown>>> = {}
      const files: Record<string, string> = {}
      const watched: string[] = []
      for (const dir of names.filter(name => dirs.includes(name))) {
        const found = await detectIn(new Part(folder, dir), detectors)
        for (const [name, table] of Object.entries(found?.services ?? {})) {
          const isFirst = services['web'] === undefined
          const label = isFirst ? 'web' : labelOf(name === 'web' ? dir : `${dir}-${name}`)
          services[label] = { ...table, workdir: inPart(dir, table['workdir']) }
          files[label] = `${dir}/${found?.files?.[name] ?? found?.file}`
        }
        watched.push(...(found?.watched ?? (found === undefined ? [] : [found.file])).map(file => `${dir}/${file}`))
      }
      const [file] = Object.values(files)
      if (file === undefined) return undefined
      return { file, services, files, watched: [...new Set(watched)] }
    },
  }
}

async function detectIn(folder: ProjectFolder, detectors: readonly ProjectDetector[]) {
  for (const detector of detectors) {
    const found = await detector.detect(folder)
    if (found !== undefined && !('reason' in found)) return found
  }
  return undefined
}

function inPart(dir: string, workdir: unknown): string {
  return typeof workdir === 'string' ? `${dir}/${workdir}` : dir
}

/** A folder of a project as a project of its own. */
class Part implements ProjectFolder {
  readonly path: string
  readonly types: readonly string[]
  readonly env: ProjectFolder['env']
  readonly #whole: ProjectFolder
  readonly #dir: string

  constructor(whole: ProjectFolder, dir: string) {
    this.path = `${whole.path}/${dir}`
    this.types = whole.types
    this.env = whole.env
    this.#whole = whole
    this.#dir = dir
  }

  read(file: string): Promise<string | undefined> {
    return this.#whole.read(`${this.#dir}/${file}`)
  }

  readNamed(file: string): Promise<string | undefined> {
    return this.#whole.readNamed(file)
  }

  has(path: string): Promise<boolean> {
    return this.#whole.has(`${this.#dir}/${path}`)
  }

  portOccupant(port: number): ReturnType<ProjectFolder['portOccupant']> {
    return this.#whole.portOccupant(port)
  }

  list(folder: string): ReturnType<ProjectFolder['list']> {
    return this.#whole.list(folder === '.' ? this.#dir : `${this.#dir}/${folder}`)
  }
}
