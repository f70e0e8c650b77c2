import { existsSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import type { Bench, Step } from './bench.ts'
import { webProject } from './projects.ts'

const helper = '/Library/PrivilegedHelperTools/locald-shim'

/** A sandbox in the user's own home: launchd and the login keychain know no other. */
function atHome(bench: Bench): Sandbox {
  const box = bench.sandbox({ env: { HOME: homedir() } })
  const folder = join(homedir(), 'Library', 'Application Support', 'locald', 'sandboxes', box.name)
  bench.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return box
}

function web(box: Sandbox): string {
  return box.project(box.name, webProject(box.name))
}

/** Runs a command of the CLI and notes what it says. */
async function run(bench: Bench, box: Sandbox, words: readonly string[], limitMs = 60_000): Promise<number | null> {
  const begun = performance.now()
  const ran = await box.run(words, { limitMs })
  const ms = Math.round(performance.now() - begun)
  bench.note(`locald ${words.join(' ')} (${ran.code ?? ran.signal}, ${ms} ms)`, `${ran.stdout}${ran.stderr}`)
  return ran.code
}

/** What changes the machine: the start at login, the helper, trust. */
export const installed: readonly Step[] = [
  {
    id: 'launchd',
    title: 'launchd starts the daemon, again after an install over it, and no more after its undoing',
    needs: 'nothing',
    onlyMac: true,
    async run(bench) {
      const box = atHome(bench)
      bench.teardown(() => box.run(['server', 'uninstall']))
      const target = `gui/${process.getuid?.()}/dev.locald.${box.name}`
      bench.expect((await run(bench, box, ['server', 'install'])) === 0, 'it installs')
      const plist = join(homedir(), 'Library', 'LaunchAgents', `dev.locald.${box.name}.plist`)
      await bench.record('stat', ['-f', '%Lp', plist])
      const folder = web(box)
      await box.up(folder)
      const pid = async () => (await box.service(folder, 'web')).pid
      const before = await pid()
      const kicked = await bench.record('launchctl', ['kickstart', target])
      bench.note('kickstart of what runs', String(kicked.code))
      bench.expect((await run(bench, box, ['server', 'install'])) === 0, 'it installs again')
      const { text } = await bench.run('launchctl', ['print', target])
      bench.note('launchctl print', text.split('\n').slice(0, 30).join('\n'))
      bench.expect(/state = running/.test(text), 'it runs')
      bench.expect((await pid()) === before, 'services live through an installation over it')
      bench.expect((await run(bench, box, ['server', 'uninstall'])) === 0, 'it uninstalls')
      bench.expect((await bench.run('launchctl', ['print', target])).code !== 0, 'nothing of it is left')
      bench.expect((await pid()) === before, 'services live through its removal')
      await bench.record(
        'log',
        ['show', '--last', '2m', '--style', 'compact', '--predicate', 'eventMessage CONTAINS "AppData"'],
        120_000,
      )
    },
  },
  {
    id: 'helper',
    title: 'with the helper ports 80 and 443 are served, and names resolve',
    needs: 'root',
    onlyMac: true,
    async run(bench) {
      const box = bench.sandbox({ env: { LOCALD_HTTP_PORT: '80', LOCALD_HTTPS_PORT: '443' } })
      const before = readFileSync('/etc/hosts', 'utf8')
      const sudo = ['-n', process.execPath, box.main, 'admin']
      if (!existsSync(helper)) {
        bench.teardown(() => bench.run('sudo', [...sudo, 'uninstall']))
        bench.expect((await bench.record('sudo', [...sudo, 'setup'])).code === 0, 'it is set up')
      }
      await bench.record('ls', ['-lO@e', helper])
      await box.up(web(box))
      const { text } = await bench.record('curl', [
        '-s',
        '--max-time',
        '10',
        '-H',
        `Host: ${box.name}.localhost`,
        'http://127.0.0.1/',
      ])
      bench.expect(text === 'hi', 'port 80 is served')
      const begun = performance.now()
      const finds = async () =>
        (await bench.run('dscacheutil', ['-q', 'host', '-a', 'name', `${box.name}.localhost`])).text.includes(
          '127.0.0.1',
        )
      await until('the name', finds, 20_000)
      bench.note('the name is found after', `${Math.round(performance.now() - begun)} ms`)
      await bench.record('ping', ['-c1', '-t2', 'no-such-name.localhost'])
      await box.ok(['server', 'shutdown'])
      await until('the hosts file as before', () => readFileSync('/etc/hosts', 'utf8') === before, 10_000)
    },
  },
  {
    id: 'trust-state',
    title: 'what is trusted is read without a dialog',
    needs: 'nothing',
    onlyMac: true,
    async run(bench) {
      const box = atHome(bench)
      await run(bench, box, ['doctor'])
      const { code, text } = await bench.run('security', ['dump-trust-settings'])
      bench.note('security dump-trust-settings', `${code}; ${text.split('\n').length} lines`)
    },
  },
  {
    id: 'trust',
    title: 'locald trust asks once, browsers take the root, locald untrust takes it back',
    needs: 'person',
    onlyMac: true,
    async run(bench) {
      const box = atHome(bench)
      const folder = web(box)
      await box.up(folder)
      await bench.ask(
        'macOS will ask for your password once, to trust a certificate authority of this test. Press Return.',
      )
      bench.teardown(() => box.run(['untrust'], { limitMs: 120_000 }))
      bench.expect((await run(bench, box, ['trust'], 180_000)) === 0, 'it is trusted')
      bench.note('dialogs', await bench.ask('How many dialogs came, and what did they say?'))
      const url = `https://${box.name}.localhost:${await box.https()}`
      bench.note(
        'browsers',
        await bench.ask(`Open ${url} in Safari and Chrome (and Firefox): which of them show "hi" without a warning?`),
      )
      const { text } = await bench.record('curl', ['-sS', '--max-time', '10', url])
      bench.expect(text === 'hi', 'curl takes it')
      await bench.ask('It is taken back now: another dialog may come. Press Return.')
      bench.expect((await run(bench, box, ['untrust'], 180_000)) === 0, 'it is not trusted any more')
      bench.expect((await run(bench, box, ['untrust'], 180_000)) === 0, 'a second time is no error')
    },
  },
]
