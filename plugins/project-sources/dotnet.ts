import type { ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'
import { foldersIn } from './folders.ts'
import { compileSeconds } from './go.ts'

const projectFile = /\.(?:cs|fs|vb)proj$/
/** Of projects that serve. */
const web = /\bSdk\s*=\s*"Microsoft\.NET\.Sdk\.(?:Web|BlazorWebAssembly)"/
/** Folders that are looked at. */
const folderLimit = 50
/** Names of folders that are not hidden. */
const visibleName = /^\w/

/** .NET: the only project for the web, at the root, in its folders or in those of src/. */
export const dotnet: ProjectDetector = {
  files: ['src'],
  async detect(folder) {
    const { all, serving } = await findProjects(folder)
    if (all.length === 0) return undefined
    const [only, ...others] = serving
    if (only !== undefined && others.length === 0) return { file: only, services: run(only) }
    const example = run(only ?? all[0] ?? '')
    if (only === undefined) return { reason: `${all[0]} is no project of the SDK for the web`, example }
    return { reason: `several projects are for the web: ${serving.join(', ')}`, example }
  },
}

async function findProjects(folder: ProjectFolder) {
  const dirs = await foldersIn(folder, '.', visibleName)
  const inSrc = dirs.includes('src') ? await foldersIn(folder, 'src', visibleName) : []
  const all: string[] = []
  const serving: string[] = []
  for (const dir of ['.', ...dirs, ...inSrc.map(name => `src/${name}`)].slice(0, folderLimit)) {
    for (const { name, kind } of await folder.list(dir)) {
      if (kind !== 'file' || !projectFile.test(name)) continue
      const file = dir === '.' ? name : `${dir}/${name}`
      all.push(file)
      if (web.test((await folder.read(file)) ?? '')) serving.push(file)
    }
  }
  return { all, serving }
}

/** The address is an argument, as a launch profile takes precedence over variables. */
function run(file: string) {
  const project = file.includes('/') ? ` --project '${file.replaceAll("'", '')}'` : ''
  return {
    web: {
      command: `dotnet watch${project} run -- --urls http://127.0.0.1:$PORT`,
      env: { DOTNET_WATCH_SUPPRESS_LAUNCH_BROWSER: '1' },
      ready_timeout: compileSeconds,
    },
  }
}
