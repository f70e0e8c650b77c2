import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { resolveShellFolders, stablePath } from '../../../cli/daemon/stable-path.ts'

/** Makes files, and links as "from -> to", below a folder; a function that gives paths in it. */
function machine(t: { testdir(): string }, ...paths: readonly string[]): (path: string) => string {
  const root = realpathSync(t.testdir())
  for (const path of paths) {
    const [from = '', to] = path.split(' -> ')
    mkdirSync(dirname(join(root, from)), { recursive: true })
    if (to === undefined) writeFileSync(join(root, from), '')
    else symlinkSync(join(root, to), join(root, from))
  }
  return path => join(root, path)
}

t.test('takes a link on PATH to the file, as Homebrew, mise and asdf have', async t => {
  const at = machine(
    t,
    'brew/Cellar/node/23.1.0/bin/node',
    'brew/bin/node -> brew/Cellar/node/23.1.0/bin/node',
    'other/node',
  )
  const node = at('brew/Cellar/node/23.1.0/bin/node')
  t.equal(stablePath(node, `${at('other')}:bin:${at('brew/bin')}`), at('brew/bin/node'), 'not another of that name')
  t.equal(stablePath(node, at('other')), node)
  t.equal(stablePath(node, undefined), node)
})

t.test("takes the link in opt for Homebrew's folder of a version, while it leads there", async t => {
  const at = machine(t, 'brew/Cellar/locald/1.0/lib/daemon.js', 'brew/opt/locald -> brew/Cellar/locald/1.0')
  t.equal(stablePath(at('brew/Cellar/locald/1.0/lib/daemon.js'), '/bin'), at('brew/opt/locald/lib/daemon.js'))
  const next = machine(
    t,
    'brew/Cellar/locald/1.0/lib/x.js',
    'brew/Cellar/locald/2.0/lib/x.js',
    'brew/opt/locald -> brew/Cellar/locald/2.0',
  )
  t.equal(stablePath(next('brew/Cellar/locald/1.0/lib/x.js'), '/bin'), next('brew/Cellar/locald/1.0/lib/x.js'))
})

t.test('never takes a folder that fnm makes for one shell', async t => {
  const at = machine(t, 'fnm/v20/bin/node', 'run/fnm_multishells/12_34/bin -> fnm/v20/bin')
  t.equal(stablePath(at('fnm/v20/bin/node'), at('run/fnm_multishells/12_34/bin')), at('fnm/v20/bin/node'))
  t.equal(
    stablePath(at('run/fnm_multishells/12_34/bin/node'), '/bin'),
    at('fnm/v20/bin/node'),
    'not even as it was typed',
  )
  t.equal(
    resolveShellFolders(`/bin:${at('run/fnm_multishells/12_34/bin')}:/no/fnm_multishells/x/bin:`),
    `/bin:${at('fnm/v20/bin')}:/no/fnm_multishells/x/bin:`,
    'nor in a PATH that is written down',
  )
})

t.test('keeps the path of a missing file', async t => {
  t.equal(stablePath('/no/such/fnm_multishells/node', '/bin'), '/no/such/fnm_multishells/node')
})
