import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { PseudoTerminal } from '../../lib/pseudo-terminal.ts'
import { until } from '../../lib/running.ts'
import { environment, FakeDaemon, folder, json, locald, main } from '../fake-daemon.ts'

/** For all calls of one completion, ms. */
const limitMs = 30_000
/** A shell that has completed nothing is asked again after this time, ms. */
const againMs = 3000

/** How each shell is started without the user's files, and what its prompt is. */
const shells: Readonly<Record<string, readonly string[]>> = {
  bash: ['bash', '--noprofile', '--norc', '-i'],
  zsh: ['zsh', '-f', '-i'],
  fish: ['fish', '--no-config', '-i'],
}

/** What is typed before the test's own commands. */
const beginnings: Readonly<Record<string, (script: string) => string>> = {
  bash: script => `bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; . ${script}`,
  // Its default key would run a substitution itself, as an expansion.
  zsh: script => `autoload -Uz compinit; compinit -D; bindkey '^I' complete-word; . ${script}`,
  fish: script => `source ${script}`,
}

/** Names that are none, and would run something if a shell evaluated them. */
const hostile = ['$(touch x)', '`touch x`', '; touch x', "'", '"', 'a b', 'ünï', 'a\nb', '\x1b[2J', '*', '-n', '~']

/** A daemon with two projects, the first in its folder `shop`. */
async function start(t: Test) {
  const daemon = await FakeDaemon.start(t)
  const shop = join(daemon.home, 'shop')
  mkdirSync(join(shop, 'sub'), { recursive: true })
  const keys = [
    'shop:web',
    'shop:api',
    'shop:a-1',
    'shop:0',
    'notes:web-worker',
    ...hostile.map(name => `shop:${name}`),
  ]
  const project = { pinned: false, exists: true, usedAt: '', problem: null }
  const projects = [
    { ...project, name: 'shop', path: shop },
    { ...project, name: 'notes', path: '/srv/notes' },
    ...hostile.map(name => ({ ...project, name, path: `/srv/${name}` })),
  ]
  const run = hostile.join('\t')
  const mode = { name: 'mode', type: 'enum', values: ['small', 'large', ...hostile], description: hostile.join('\n') }
  const args = [mode, { name: 'size', type: 'integer', default: 100 }, { name: 'dry', type: 'boolean', default: false }]
  const commands = [
    { name: 'fresh', run, description: hostile.join('\n'), confirm: false, args },
    { name: 'flush', run, description: null, confirm: true, args: [] },
  ]
  daemon.on('GET /v1/services/commands', json({ services: [{ key: 'shop:web', commands }] }))
  daemon.on('GET /v1/services/keys', json({ keys })).on('GET /v1/registry', json({ projects }))
  writeFileSync(join(shop, 'locald.toml'), hostile.map(name => `[services."${name}"]\n`).join(''))
  return { daemon, shop }
}

t.test('__complete prints what may follow, starts no daemon and prints no error', async t => {
  const { daemon, shop } = await start(t)
  const complete = async (...words: readonly string[]) => {
    const ran = await daemon.run(['__complete', '--', ...words], { cwd: join(shop, 'sub') })
    t.match(ran, { code: 0, stderr: '' }, words.join(' '))
    const lines = ran.stdout.trimEnd().split('\n')
    return { words: lines.slice(0, -1).map(line => line.split('\t')[0]), paths: lines.at(-1) }
  }
  /** Completes until the answer is the expected one: on a busy machine, the daemon's may be too late for one call. */
  const completes = async (words: readonly string[], expected: { words?: readonly string[]; paths?: string }) => {
    let found: { readonly words?: unknown; readonly paths?: unknown } = {}
    const isExpected = async () => {
      found = await complete(...words)
      return isDeepStrictEqual({ ...found, ...expected }, found)
    }
    await until('the words', isExpected, limitMs).catch(() => undefined)
    t.strictSame(found, { ...found, ...expected }, words.join(' '))
  }
  await completes(['log'], { words: ['logs'], paths: ':none' })
  const here = ['web', 'api', 'a-1', '0', 'shop', 'notes']
  for (const command of ['stop', 'restart', 'status', 'logs', 'why', 'wait', 'open', 'env', 'down', 'ps'])
    await completes([command, ''], { words: here, paths: ':none' })
  await completes(['up', ''], { words: here, paths: ':folders' })
  await completes(['logs', 'web', 'a'], { words: ['api', 'a-1'] })
  await completes(['stop', 'notes:'], { words: ['notes:web-worker'] })
  await completes(['registry', 'pin', ''], { words: ['shop', 'notes'] })
  t.strictSame((await complete('server', '')).words?.sort(), [
    ...['install', 'restart', 'shutdown', 'start', 'status', 'uninstall'],
  ])
  await completes(['db', 's'], { words: ['snapshot'] })
  await completes(['completion', ''], { words: ['bash', 'zsh', 'fish'], paths: ':none' })
  await completes(['run', '--with', 'w'], { words: ['web'], paths: ':none' })
  await completes(['run', 'web', ''], { words: ['fresh', 'flush'], paths: ':files' })
  await completes(['run', 'web', 'fr'], { words: ['fresh'], paths: ':files' })
  await completes(['run', '--with', 'api', 'npm', ''], { words: [], paths: ':files' })
  t.ok((await complete('run', 'web', '--')).words.includes('--with'))
  await completes(['run', '--with', 'api', 'web', 'npm', '--'], { words: [], paths: ':files' })
  await completes(['run', 'web', 'fresh', ''], {
    words: ['--mode', '--size', '--dry', '--no-dry', '--help'],
    paths: ':none',
  })
  await completes(['exec', 'web', 'fresh', '--mode', 'small', '--no-dry', '--'], {
    words: ['--size', '--help'],
    paths: ':none',
  })
  await completes(['run', 'web', 'flush', '--'], { words: ['--yes', '--help'], paths: ':none' })
  await completes(['run', 'web', 'fresh', '--mode', ''], { words: ['small', 'large'], paths: ':none' })
  await completes(['run', 'web', 'fresh', '--mode=s'], { words: ['--mode=small'], paths: ':none' })
  await completes(['run', 'web', 'fresh', '--size', ''], { words: [], paths: ':none' })
  t.equal(daemon.last('/v1/services/commands').query.get('service'), 'web')
  await completes(['run', 'web', '--', 'np'], { words: [], paths: ':files' })
  await completes(['up', '--env-file', ''], { words: [], paths: ':files' })
  await completes(['-C', ''], { words: [], paths: ':folders' })
  const flags = (await complete('logs', 'web', '--')).words
  for (const flag of ['--follow', '--since', '--sandbox', '--ignore-case']) t.ok(flags.includes(flag), flag)
  t.notOk(flags.includes('--detach'))
  await Promise.all(hostile.map(word => complete('stop', word)))
  await Promise.all(['$(touch x)', 'a\nb', '-n'].map(word => complete(word, 'stop', '')))

  t.comment('without a daemon: the services of the nearest locald.toml')
  const home = folder(t)
  writeFileSync(
    join(home, 'locald.toml'),
    '[services.web]\n[services."job"]\nbroken =\n[services.web.env]\n[services."$(x)"]',
  )
  const ran = await locald(['__complete', '--', 'up', ''], { home })
  t.equal(ran.stdout, 'web\tservice\njob\tservice\n:folders\n')
  t.notOk(existsSync(join(home, 'data')), 'nothing was started or written')
})

for (const [shell, argv] of Object.entries(shells)) {
  const isMissing = spawnSync(shell, ['-c', 'true']).status !== 0
  t.test(`completes in a real ${shell}`, { skip: isMissing && `${shell} is missing` }, async t => {
    const { daemon, shop } = await start(t)
    const bin = join(daemon.home, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'locald'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
    chmodSync(join(bin, 'locald'), 0o755)
    const script = join(daemon.home, 'completion')
    writeFileSync(script, (await daemon.run(['completion', shell])).stdout)
    const env = environment(daemon.home, {
      LOCALD_SOCKET: daemon.socket,
      PATH: `${bin}${delimiter}${process.env['PATH']}`,
    })
    const terminal = new PseudoTerminal(t, argv, { cwd: shop, env, columns: 100, rows: 40 })
    terminal.press(`${beginnings[shell]?.(script)}; echo rea''dy\r`)
    await terminal.shows(/^ready$/m)
    /** Completes a command line, again where the answer was too late, and removes it. */
    const completes = async (typed: string, whole: string) => {
      const pattern = new RegExp(`locald ${whole.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')}\\s*$`, 'm')
      let pressedMs = Number.NEGATIVE_INFINITY
      const isShown = () => {
        if (pattern.test(terminal.text)) return true
        if (performance.now() - pressedMs > againMs) {
          terminal.press(`\x15locald ${typed}\t`)
          pressedMs = performance.now()
        }
        return false
      }
      await until(whole, isShown, limitMs)
      terminal.press('\x15')
    }
    await completes('stat', 'status')
    await completes('logs we', 'logs web')
    await completes('stop notes:w', 'stop notes:web-worker')
    await completes('run --with ap', 'run --with api')
    await completes('run web fl', 'run web flush')
    await completes('run web fresh --mo', 'run web fresh --mode')
    await completes('run web fresh --mode la', 'run web fresh --mode large')
    await completes('run web fresh --mode=sm', 'run web fresh --mode=small')
    await completes('server sh', 'server shutdown')
    await completes('completion zs', 'completion zsh')
    await completes('logs --follo', 'logs --follow')
    const words = ['$(touch x)', '`touch x`', "'$(touch x)", '"$(touch x)', 'stop $(touch x)']
    for (const [index, word] of words.entries()) {
      terminal.press(`locald logs ${word}\t\t w\t\x15echo o''ver ${index}\r`)
      await terminal.shows(new RegExp(`^over ${index}$`, 'm'))
    }
    terminal.press("locald run web f\t\t\x15echo o''ver all\r")
    await terminal.shows(/^over all$/m)
    // What a shell writes at its exit is in the folder that is removed.
    terminal.press('exit\r')
    await terminal.exit
    for (const place of [shop, daemon.home]) t.notOk(existsSync(join(place, 'x')), 'nothing has run')
  })
}

t.test('refuses an unknown shell with the known ones', async t => {
  t.match(await locald(['completion', 'tcsh'], { home: folder(t) }), {
    code: 2,
    stderr: "Error: unknown shell 'tcsh' [USAGE]\nHint: Use one of bash, zsh, fish.\n",
  })
})
