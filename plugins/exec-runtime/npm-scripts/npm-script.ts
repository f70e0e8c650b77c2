import { dirname, join } from 'node:path'
import { realPath } from '../../../kernel/contract/plugin.ts'
import { type PackageJson, scriptsOf } from '../package-json.ts'
import { parseNpmCommand, quoteArgument } from './npm-command.ts'
import { npmConfigVariables } from './npm-config.ts'
import { findFirst, findNpm, type NpmProgram, nodeGyp, nodeGypFolder } from './npm-program.ts'
import { packageVariables } from './package-variables.ts'
import { findWorkspaceRoot } from './workspace-root.ts'

/** What the command of a service is run with. */
export interface CommandContext {
  readonly command: string
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly tty: boolean
  /** The machine's. */
  readonly platform: NodeJS.Platform
}

/** A script as npm runs it. */
export interface NpmScript {
  /** The path of the shell. */
  readonly shell: string
  readonly command: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Returns how npm would run the script of a command, so that npm itself needs not: 0.1 s, and 60 MB for as long as the
 * script runs. Undefined where the command is another one, or where npm does more than to run the script.
 */
export async function readNpmScript(
  { command, dir, env, tty, platform }: CommandContext,
  content: PackageJson | undefined,
): Promise<NpmScript | undefined> {
  const run = parseNpmCommand(command, env)
  const scripts = scriptsOf(content)
  const text = run && Object.hasOwn(scripts, run.script) ? scripts[run.script] : undefined
  if (content === undefined || run === undefined || text === undefined || text.trim() === '') return undefined
  // Scripts before and after it, and checks of the programs that are used.
  if (scripts[`pre${run.script}`] || scripts[`post${run.script}`] || content['devEngines'] !== undefined)
    return undefined
  const own = packageVariables(content)
  if (own === undefined) return undefined
  const folder = await realPath(dir)
  const [npm, root] = await Promise.all([findNpm(env), findWorkspaceRoot(folder)])
  if (npm === undefined || root === 'unclear' || root?.content['devEngines'] !== undefined) return undefined
  const place = { prefix: root?.folder ?? folder, isWorkspace: root !== undefined, platform }
  const config = await npmConfigVariables(npm, env, place)
  const folders = pathWith(folder, npm, env['PATH'] ?? '')
  const shell = await findFirst('sh', folders)
  if (config === undefined || shell === undefined) return undefined
  return {
    shell,
    command: [text, ...run.args.map(quoteArgument)].join(' '),
    env: {
      ...env,
      ...config,
      ...commonVariables(npm, env, tty),
      ...own,
      npm_command: run.name === 'run' ? npm.runCommand : run.name,
      INIT_CWD: folder,
      npm_package_json: join(folder, 'package.json'),
      npm_lifecycle_event: run.script,
      npm_lifecycle_script: text,
      PATH: folders.join(':'),
    },
  }
}

/** Folders of programs: those of the packages above first (@npmcli/run-script, lib/set-path.js). */
function pathWith(folder: string, { root }: NpmProgram, path: string): readonly string[] {
  const above = [folder]
  for (let at = folder; at !== dirname(at); at = dirname(at)) above.push(dirname(at))
  return [...above.map(each => join(each, 'node_modules', '.bin')), join(root, nodeGypFolder), ...path.split(':')]
}

function commonVariables(
  { root, node }: NpmProgram,
  env: Readonly<Record<string, string>>,
  tty: boolean,
): Readonly<Record<string, string>> {
  const isColored = tty && (!env['NO_COLOR'] || env['NO_COLOR'] === '0')
  return {
    COLOR: isColored ? '1' : '0',
    EDITOR: env['EDITOR'] || env['VISUAL'] || 'vi',
    NODE: node,
    npm_node_execpath: node,
    npm_execpath: join(root, 'bin', 'npm-cli.js'),
    npm_config_node_gyp: join(root, nodeGyp),
  }
}
