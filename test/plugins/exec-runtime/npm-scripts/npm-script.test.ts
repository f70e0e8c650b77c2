/** Runs scripts with npm and as locald does, and compares what they see. */
import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { readNpmScript } from '../../../../plugins/exec-runtime/npm-scripts/npm-script.ts'
import { readPackageJson } from '../../../../plugins/exec-runtime/package-json.ts'
import { findProgram, pathFolders } from '../../../../plugins/lib/programs.ts'

type Env = Readonly<Record<string, string>>
type Files = Readonly<Record<string, string | object>>

/**
 * What differs: options whose default npm 11 and 12 export although they are not set, the depth of shells of bash, and
 * the last command of a shell.
 */
const exceptions = new Set(['npm_config_allow_scripts', 'npm_config_global_ignore_file', 'SHLVL', '_'])

const dump = `
require('fs').writeFileSync(process.env.OUT, JSON.stringify({
  args: process.argv.slice(2), cwd: process.cwd(), env: process.env, code: process.exitCode,
}))
process.exitCode = 3`

interface Case {
  readonly title: string
  readonly command?: string
  readonly manifest?: object
  readonly env?: Env
  readonly files?: Files
  /** The service's folder in the project. */
  readonly workdir?: string
}

const hostile = [
  `npm run dev -- 'a b' '$HOME' "it's" '"' '*' '[d]ump.*' '{a,b}' '!x' '#c' 'a\\b' '' ';' '&&' '|' -- --x=1`,
  "npm run dev one two -- --three 'four five'",
  'npm run dev',
  'npm run-script dev -- --port $PORT --host=$HOST "$PORT"',
  'exec npm run dev -- $PORT',
  '  npm   run dev --   a  ',
  'npm run dev -- a=b @scope/x 50%',
]

const runnable: readonly Case[] = [
  ...hostile.map(command => ({ title: command, command })),
  { title: 'npm start', command: 'npm start -- -p 1', manifest: { scripts: { start: 'node dump.js' } } },
  { title: 'npm test', command: 'npm test x', manifest: { scripts: { test: 'node dump.js' } } },
  {
    title: 'a script named as a field of objects',
    command: 'npm run toString',
    manifest: { scripts: { toString: 'node dump.js' } },
  },
  {
    title: 'a script with all that a shell knows',
    command: "npm run dev -- 'x y'",
    manifest: { scripts: { dev: `FOO="a  b" BAR='$HOME' && export BAR\nnode dump.js "$BAR" $PORT * "$1" # no` } },
  },
  {
    title: 'arguments after a comment',
    command: 'npm run dev -- x',
    manifest: { scripts: { dev: 'node dump.js # c' } },
  },
  {
    title: 'fields of the package',
    manifest: {
      ...{ name: '@app/web', version: '1.2.3-a', engines: { node: '>=18' } },
      config: { port: 80, a: { b: true, 'c-d': 'e f' }, no: false, nil: null, text: 'line\nline' },
      bin: { 'my-app': './bin/a.js', b: 'b.js' },
    },
  },
  { title: 'one program', manifest: { name: '@app/web', bin: './cli.js' } },
  { title: 'no name', manifest: { name: undefined } },
  { title: 'no color', env: { NO_COLOR: '1', EDITOR: '', VISUAL: 'emacs' } },
  {
    title: 'settings in the environment',
    env: { npm_config_update_notifier: 'false', npm_config_fund: 'true', npm_config_x: '' },
  },
  {
    title: 'settings in files',
    files: {
      '.npmrc':
        '; a\n# b\n\nlegacy-peer-deps=true\nfund = true\r\nregistry=https://r.example/npm\n@a:registry=https://a.example\n',
      'home/.npmrc': `//r.example/:_authToken=\${TOKEN}\nfund=false\naudit=false\nsave-prefix=~\ncache=~/other\nengine-strict=false\n`,
    },
  },
  {
    title: 'another prefix',
    files: { 'home/.npmrc': 'prefix=~/.global', 'home/.global/etc/npmrc': 'save-exact=true' },
  },
  {
    title: 'a workspace',
    workdir: 'apps/web',
    files: {
      'package.json': { name: 'root', workspaces: ['packages/*', './apps/*/'] },
      '.npmrc': 'ignore-scripts=true',
      'apps/web/.npmrc': 'engine-strict=true',
    },
  },
  {
    title: 'a package that is no workspace',
    workdir: 'tools/one',
    files: { 'package.json': { workspaces: { packages: ['apps/*', 'tools'] } }, '.npmrc': 'script-shell=/bin/false' },
  },
  { title: 'a folder with odd characters', workdir: "it's a $HOME folder" },
]

/** What npm must run itself. */
const refused: readonly Case[] = [
  { title: 'scripts before', manifest: { scripts: { dev: 'node dump.js', predev: 'echo' } } },
  { title: 'scripts after', manifest: { scripts: { dev: 'node dump.js', postdev: 'echo' } } },
  ...[
    ...['npm run dev --silent', 'npm --prefix . run dev', 'npm run', 'npm run other', 'npm dev', 'npm run -w a dev'],
    ...['A=1 npm run dev', 'npm run dev && ls', 'npm run dev -- $(ls)', 'npm run dev -- *', 'npm run dev -- ~/a'],
    ...[
      "npm run dev -- '$PORT' $PORT",
      'npm run dev -- $UNSET',
      'npm run dev -- $SPACE',
      'npm run dev > a',
      'npx vite',
    ],
    ...['npm exec vite', 'pnpm run dev', 'npm install', 'npm run "" dev', 'npm run empty', 'npm run number'],
  ].map(command => ({ title: command, command })),
  ...[
    ...['script-shell=bash', 'shell=bash', 'ignore-scripts', 'ignore-scripts=yes', 'node-options=--inspect', '[a]'],
    ...[
      'workspaces=true',
      'registry=https://$X',
      'prefix=/a',
      'omit=dev',
      'loglevel="silent"',
      'cache=relative',
      'unknown=1',
    ],
  ].map(text => ({ title: `.npmrc: ${text}`, files: { '.npmrc': text } })),
  ...['npm_config_script_shell', 'NPM_CONFIG_FUND', 'npm_config_prefix', 'PREFIX', 'Path'].map(name => ({
    ...{ title: name, env: { [name]: 'true' } },
  })),
  { title: 'no home folder', env: { HOME: '' } },
  { title: 'a quoted variable beside `$HOST`', command: "npm run dev -- 'a $HOST b'" },
  { title: 'checks of programs', manifest: { devEngines: { runtime: { name: 'node' } } } },
  { title: 'a list in the fields', manifest: { config: { a: ['b'] } } },
  { title: 'a folder of programs', manifest: { directories: { bin: 'bin' } } },
  { title: 'programs elsewhere', manifest: { bin: { a: '../a.js' } } },
  {
    ...{ title: 'patterns of workspaces that are not plain', workdir: 'apps/web' },
    files: { 'package.json': { workspaces: ['apps/**'] } },
  },
  {
    ...{ title: 'checks of the programs of a workspace', workdir: 'apps/web' },
    files: { 'package.json': { workspaces: ['apps/*'], devEngines: {} } },
  },
  { title: 'a manifest above that cannot be read', workdir: 'apps/web', files: { 'package.json': '{' } },
]

/** A project with its home folder, and the programs in PATH. */
class Project {
  readonly dir: string
  readonly env: Env
  readonly command: string
  readonly out: string

  constructor(t: Test, npm: string, { command = 'npm run dev -- a', manifest, env, files = {}, workdir = '.' }: Case) {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'locald-npm-')))
    t.teardown(() => rmSync(base, { recursive: true, force: true }))
    this.dir = join(base, 'app', workdir)
    this.command = command
    this.out = join(base, 'out.json')
    const scripts = { dev: 'node dump.js', empty: ' ', number: 3 }
    const all = { ...files, [join(workdir, 'package.json')]: { name: 'app', version: '1.0.0', scripts, ...manifest } }
    for (const [name, content] of Object.entries({ [join(workdir, 'dump.js')]: dump, ...all })) {
      const path = name.startsWith('home/') ? join(base, name) : join(base, 'app', name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    }
    // The globals of this machine are beside its own Node.js.
    mkdirSync(join(base, 'node', 'bin'), { recursive: true })
    symlinkSync(npm, join(base, 'node', 'bin', 'npm'))
    symlinkSync(process.execPath, join(base, 'node', 'bin', 'node'))
    const path = [join(base, 'node', 'bin'), '/usr/bin', '/bin'].join(delimiter)
    const common = { HOME: join(base, 'home'), PATH: path, PORT: '4321', HOST: '127.0.0.1', SPACE: 'a b', LANG: 'C' }
    this.env = { ...common, OUT: this.out, ...env }
  }

  async runByNpm() {
    const env = { npm_config_update_notifier: 'false', ...this.env }
    return this.#run('/bin/sh', this.command, env)
  }

  async script() {
    return readNpmScript({ ...this, tty: false, platform: process.platform }, await readPackageJson(this.dir))
  }

  async run() {
    const script = await this.script()
    return script && this.#run(script.shell, script.command, script.env)
  }

  async #run(shell: string, command: string, env: Env) {
    rmSync(this.out, { force: true })
    const code = await new Promise(resolve => {
      const options = { env, cwd: this.dir, timeout: 60_000 }
      execFile(shell, ['-c', command], options, error => resolve(error === null ? 0 : error.code)).stdin?.end()
    })
    const { args, cwd, env: seen } = JSON.parse(readFileSync(this.out, 'utf8'))
    const shown = Object.entries(seen).filter(([name]) => !exceptions.has(name))
    return { code, args, cwd, env: Object.fromEntries(shown.sort(([a], [b]) => (a < b ? -1 : 1))) }
  }
}

async function compare(t: Test, npm: string, cases: readonly Case[]): Promise<void> {
  for (const each of cases) {
    await t.test(each.title, async t => {
      const env = { npm_config_update_notifier: 'false', ...each.env }
      const project = new Project(t, npm, { ...each, env })
      t.strictSame(await project.run(), await project.runByNpm())
    })
  }
}

const found = await findProgram(['npm'], pathFolders(process.env['PATH']))
const npm = found === undefined ? undefined : realpathSync(found)
const skip = npm === undefined && 'there is no npm'

t.test('a script sees what it sees under npm', { skip }, async t => compare(t, npm ?? '', runnable))

t.test('a script sees what it sees under other versions of npm', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'locald-npms-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  // npm 12 needs a newer Node.js than locald.
  const versions = Number(process.versions.node.split('.')[0]) < 23 ? ['10', '11'] : ['11', '12']
  const packages = versions.map(version => `npm${version}@npm:npm@${version}`)
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-bin-links', ...packages]
  const error = await new Promise<Error | null>(resolve => {
    execFile(found ?? 'npm', args, { timeout: 90_000 }, resolve)
  })
  if (error !== null) return t.pass('', { skip: 'the registry of npm cannot be reached' })
  for (const version of versions) {
    const program = join(folder, 'node_modules', `npm${version}`, 'bin', 'npm-cli.js')
    chmodSync(program, 0o755)
    await t.test(version, async t => compare(t, realpathSync(program), runnable.slice(-8)))
  }
  return undefined
})

t.test('is left to npm', { skip }, async t => {
  for (const each of refused) t.equal(await new Project(t, npm ?? '', each).script(), undefined, each.title)

  await t.test('where it is not plain npm and Node.js', async t => {
    const projectWith = (change: (bin: string) => void) => {
      const project = new Project(t, npm ?? '', { title: '' })
      change(project.env['PATH']?.split(delimiter)[0] ?? '')
      return project.script()
    }
    const replace = (name: string, text: string) => (bin: string) => {
      rmSync(join(bin, name))
      writeFileSync(join(bin, name), text)
      chmodSync(join(bin, name), 0o755)
    }
    t.ok(await projectWith(() => {}))
    t.equal(await projectWith(replace('npm', '#!/bin/sh\n')), undefined, 'a shim')
    t.equal(await projectWith(replace('node', '#!/bin/sh\n')), undefined, 'a shim for node')
    const local = new Project(t, npm ?? '', { title: '' })
    const relative = { ...local.env, PATH: `node_modules/.bin:${local.env['PATH']}` }
    t.equal(
      await readNpmScript(
        { ...local, env: relative, tty: false, platform: process.platform },
        await readPackageJson(local.dir),
      ),
      undefined,
    )
  })
})
