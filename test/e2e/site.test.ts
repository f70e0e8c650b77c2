import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { noBrowser, openBrowser } from '../lib/browser.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { onHost } from './suite.ts'

/** Fails where the source has a mistake; counts its runs in a file that is not watched. */
const build = `set -e
echo x >> .builds
grep -q MISTAKE src/page.html && { echo 'src/page.html: MISTAKE' >&2; exit 4; }
rm -rf dist
sleep 0.2
mkdir dist
cp src/page.html dist/index.html
`
const toml = `
[project]
name = "pages"
[services.docs]
type = "site"
path = "dist"
build = "sh build.sh"
watch = ["src"]
`
const pageOf = (text: string) => `<!doctype html><title>${text}</title><body>${text}</body>\n`

onHost(
  'a site is built, rebuilt and reloaded, and outlives the daemon',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const folder = sandbox.project('pages', {
      'locald.toml': toml,
      'build.sh': build,
      'src/page.html': pageOf('one MISTAKE'),
    })
    const source = join(folder, 'src/page.html')
    const docs = () => sandbox.service(folder, 'docs')
    const runs = () =>
      existsSync(join(folder, '.builds')) ? readFileSync(join(folder, '.builds'), 'utf8').length / 2 : 0

    const failed = await sandbox.run(['up', '--detach'], { cwd: folder })
    t.equal(failed.code, 1)
    t.match(failed.stdout + failed.stderr, /the build failed: `sh build\.sh` exited with code 4/)
    t.match(failed.stdout + failed.stderr, /src\/page\.html: MISTAKE/, 'with its last lines')
    t.equal((await docs()).status, 'failed')

    sandbox.write(source, pageOf('one'))
    await until('the site after the fix', async () => (await docs()).health === 'healthy')
    t.match(await sandbox.get('pages.localhost'), { status: 200, body: 'one' })
    const { port, pid } = await docs()

    const browser = await openBrowser(t)
    const page = await browser.newPage()
    await page.goto(`http://pages.localhost:${await sandbox.http()}/`)
    const count = runs()
    sandbox.write(source, pageOf('two'))
    await page.waitForFunction("document.title === 'two'")
    t.equal(runs(), count + 1, 'one build for one change')

    sandbox.write(source, pageOf('three MISTAKE'))
    await until('the reason', async () => /the build failed/.test((await docs()).reason ?? ''))
    t.match(await docs(), { status: 'running', health: 'healthy', pid })
    t.match((await sandbox.get('pages.localhost')).body, 'two', 'the last good output is served')

    const killDaemon = async () => {
      const daemon = (await sandbox.server()).pid
      process.kill(daemon, 'SIGKILL')
      await until('the exit of the daemon', () => !processList.isAlive(daemon))
    }
    await killDaemon()
    t.match(await (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) })).text(), 'two')
    await until('the reason in the next daemon', async () => /the build failed/.test((await docs()).reason ?? ''))
    t.equal((await docs()).pid, pid)
    sandbox.write(source, pageOf('four'))
    await until('no reason', async () => (await docs()).reason === null)
    t.match((await sandbox.get('pages.localhost')).body, 'four')

    // What has been watched is saved a second after a change.
    await setTimeout(1500)
    await killDaemon()
    sandbox.write(source, pageOf('five'))
    await sandbox.ok(['server', 'start'])
    await until('a change made while no daemon ran', async () =>
      (await sandbox.get('pages.localhost')).body.includes('five'),
    )
    t.equal((await docs()).pid, pid)
  },
  { skip: noBrowser },
)

onHost('a site without a build reloads, and says what is missing', async (t, machine) => {
  const sandbox = machine.sandbox()
  const head = '[project]\nname = "plain"\n[services.web]\ntype = "site"\n'
  const folder = sandbox.project('plain', { 'locald.toml': head })
  for (const [wrong, message] of [
    ['path = "public [1]"', /the folder .*public \[1\] does not exist/],
    ['build = "make"', /`build` needs an output folder of its own/],
    ['build = "true"\npath = "none"', /the folder .*none does not exist/],
    ['paht = "x"', /unknown key.*did you mean 'path'/],
  ] as const) {
    sandbox.write(join(folder, 'locald.toml'), `${head}${wrong}\n`)
    const ran = await sandbox.run(['up', '--detach'], { cwd: folder })
    t.ok(ran.code === 1 || ran.code === 2)
    t.match(ran.stdout + ran.stderr, message)
  }
  await sandbox.ok(['stop'], { cwd: folder })
  sandbox.write(join(folder, 'public [1]/index.html'), pageOf('one'))
  sandbox.write(join(folder, 'locald.toml'), `${head}path = "public [1]"\n`)
  await sandbox.up(folder)
  const events = await fetch(`http://127.0.0.1:${(await sandbox.service(folder, 'web')).port}/_locald/events`, {
    signal: AbortSignal.timeout(20_000),
  })
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader()
  t.match((await reader?.read())?.value, /event: version/)
  sandbox.write(join(folder, 'public [1]/a.css'), 'a{}')
  t.match((await reader?.read())?.value, /event: style/)
  rmSync(join(folder, 'public [1]/index.html'))
  t.match((await reader?.read())?.value, /event: change/)
  await reader?.cancel()
})
