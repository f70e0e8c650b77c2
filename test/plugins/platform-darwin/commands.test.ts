import { chmodSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { SharedRun, Tools, toolPath } from '../../../plugins/platform-darwin/commands.ts'
import { failureIn, isDisabled } from '../../../plugins/platform-darwin/launchctl.ts'
import { parseLsof } from '../../../plugins/platform-darwin/lsof.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import {
  asPsShows,
  environmentArgs,
  parseRow,
  parseTime,
  pidsWith,
  psArgs,
} from '../../../plugins/platform-darwin/ps.ts'
import { until } from '../../lib/running.ts'
import { parsePs } from './harness.ts'

const folderOfThis = dirname(fileURLToPath(import.meta.url))

const macPs = `    1     0     1 Ss   ??       Mon Nov  2 08:59:01 2026     12:34.56  21504
  412     1   412 S    ??       Mon Nov  2 08:59:44 2026      0:03.21   8832
 1034   998  1034 Ss+  ttys003  Mon 23 Nov 10:15:42 2026      0:00.03   1536
 1035  1034  1034 R+   ttys003  Mon Nov 23 10:15:43 2026   1502:07.98 412992
 1036  1034  1034 Z    ??       Mon Nov 23 10:15:43 2026      0:00.00      0
 1037     1  1037 ?Es  ??       Mon Nov 23 10:15:44 2026      0:00.00      0
ps: something else
`

t.test('parses rows of ps', async t => {
  t.same(
    psArgs.filter(arg => arg.includes('=')).every(arg => /^[a-z]+=$/.test(arg)),
    true,
    'a column for each -o: macOS takes all that follows = for the heading',
  )
  const rows = parsePs(macPs)
  t.equal(rows.length, 6)
  t.same(rows[3], {
    pid: 1035,
    ppid: 1034,
    pgid: 1034,
    zombie: false,
    terminal: true,
    startedMs: Date.UTC(2026, 10, 23, 10, 15, 43),
    cpuMs: (1502 * 60 + 7) * 1000 + 980,
    memory: 412992 * 1024,
  })
  t.equal(rows[0]?.startedMs, Date.UTC(2026, 10, 2, 8, 59, 1))
  t.equal(rows[2]?.startedMs, Date.UTC(2026, 10, 23, 10, 15, 42), 'with the day before the month')
  t.same(
    rows.map(({ zombie }) => zombie),
    [false, false, false, false, true, false],
  )
  t.same(
    rows.map(({ terminal }) => terminal),
    [false, false, true, true, false, false],
  )
  const procps = '   2     1     0 S    ?        Tue Nov 24 03:43:09 2026 1-02:03:04 15420\n'
  t.match(parsePs(procps), [{ pid: 2, terminal: false, cpuMs: ((26 * 60 + 3) * 60 + 4) * 1000 }])
  t.same(parsePs('PID PPID\n\n'), [])
  t.equal(parseTime('0:00.07'), 70)
  t.equal(parseTime('00:00:03'), 3000)
  t.equal(parseTime('100:00.00'), 6_000_000)
})

t.test('finds pids by a variable in the output of ps', async t => {
  const text = ` 1034 -zsh
 1035 node server.js PATH=/usr/bin NOTIFY_SOCKET=/run/k/a1.n HOME=/Users/me
 1036 sleep 300 NOTIFY_SOCKET=/run/k/a1.n
 1037 node NOTIFY_SOCKET=/run/k/a1.nn OLD_NOTIFY_SOCKET=/run/k/a1.n
nonsense NOTIFY_SOCKET=/run/k/a1.n
    1 launchd NOTIFY_SOCKET=/run/k/a1.n
`
  const home = ' 1040 sleep 3 NOTIFY_SOCKET=/Users/Andre\u0301 Li/k/a1.n A=b'
  t.same([...pidsWith([home], 'NOTIFY_SOCKET=/Users/Andre\u0301 Li/k/a1.n')], [1040], 'with a space')
  // As strvis(3) writes it (adv_cmds-237 ps/print.c, VIS_NOSLASH; LC_ALL=C): composed, and decomposed as APFS keeps
  // what Finder made.
  t.equal(asPsShows('/Users/André'), '/Users/AndrM-CM-)')
  t.equal(asPsShows('/Users/Andre\u0301\u00a0\t'), '/Users/AndreM-LM^AM-B\\240^I')
  const shown = ' 1041 sleep 3 NOTIFY_SOCKET=/Users/AndrM-CM-)/k/a1.n A=b'
  t.same([...pidsWith([shown], 'NOTIFY_SOCKET=/Users/André/k/a1.n')], [1041], 'with an accent')
  t.same(environmentArgs(501).slice(0, 4), ['-xww', '-U', '501', '-E'], 'of this user alone')
  t.same(environmentArgs(0).slice(0, 2), ['-axww', '-E'])
  t.same([...pidsWith(text.split('\n'), 'NOTIFY_SOCKET=/run/k/a1.n')], [1035, 1036])
  t.same([...pidsWith([], 'NOTIFY_SOCKET=/run/k/a1.n')], [])
})

t.test('parses the fields of lsof', async t => {
  const fields = `p501
cGoogle\\x20Chrome\\x20Helper
f23
tIPv4
n127.0.0.1:9222
p1035
cnode
f20
tIPv6
n*:3000
f21
tIPv4
n*:3000
f22
tIPv6
n[::1]:5173
f24
tIPv6
n[::ffff:127.0.0.1]:8080 (LISTEN)
`
  t.same(parseLsof(fields.split('\n')), [
    { pid: 501, command: 'Google Chrome Helper', address: '127.0.0.1', port: 9222 },
    { pid: 1035, command: 'node', address: '::', port: 3000 },
    { pid: 1035, command: 'node', address: '0.0.0.0', port: 3000 },
    { pid: 1035, command: 'node', address: '::1', port: 5173 },
    { pid: 1035, command: 'node', address: '127.0.0.1', port: 8080 },
  ])
  t.same(parseLsof(['']), [])
})

/** What people have published of their Macs: test/plugins/platform-darwin/recorded/README.md names the sources. */
const recorded = (name: string) =>
  readFileSync(
    join(folderOfThis, '..', '..', '..', '..', 'test', 'plugins', 'platform-darwin', 'recorded', name),
    'utf8',
  )

t.test('parses outputs recorded on Macs', async t => {
  const listening = (pid: number, command: string, port: number) => ({ pid, command, address: '0.0.0.0', port })
  t.same(
    parseLsof(recorded('lsof-fields.txt').split('\n')),
    [
      ...[listening(783, 'rapportd', 57607), listening(783, 'rapportd', 57607)],
      ...[5000, 7000, 7000, 5000].map(port => listening(866, 'ControlCenter', port)),
    ],
    'neither connections nor UDP sockets without a port',
  )
  t.same(parseLsof(recorded('lsof-warnings.txt').split('\n')), [], 'warnings are no sockets')

  const starts = recorded('ps-lstart.txt').split('\n')
  const shown = (locale: string) => {
    const line = starts.find(text => text.startsWith(locale)) ?? ''
    const [, lstart] = /root {3}(.*?) +\d[.,]\d +20032/.exec(line) ?? []
    return parseRow(`    1     0     1 Ss   ??       ${lstart}     12:34.56  20032`)?.startedMs
  }
  t.equal(shown('C'), Date.UTC(2026, 6, 29, 15, 37, 10))
  for (const locale of ['ko_KR', 'de_DE', 'fr_FR'])
    t.equal(shown(locale), undefined, `${locale} is no date, and no wrong one`)

  const running = recorded('launchctl-print.txt')
  t.equal(failureIn(running), undefined, 'a job that runs')
  const stopped = running.replace('state = running', 'state = not running')
  t.equal(failureIn(stopped), undefined, 'one that exited with 0')
  t.equal(failureIn(stopped.replace('code = 0', 'code = (never exited)')), undefined)
  t.equal(failureIn(stopped.replace('code = 0', 'code = 78: EX_CONFIG')), '78: EX_CONFIG')
  t.equal(failureIn(running.replace('code = 0', 'code = 1')), undefined, 'one that runs again')

  const label = 'com.apple.ManagedClientAgent.enrollagent'
  for (const version of [12, 26]) {
    const text = recorded(`print-disabled-${version}.txt`)
    t.equal(isDisabled(text, label), true, `macOS ${version}`)
    t.equal(isDisabled(text, 'com.docker.helper'), false)
    t.equal(isDisabled(text, 'dev.locald'), false, 'nothing is reported')
  }
})

t.test('parses unusual rows of ps', async t => {
  t.equal(parseRow(' 4242  4240  4240 Z    ??       Thu Jan  1 00:00:00 1970      0:00.00      0')?.zombie, true)
  t.equal(parseRow(' 4243  4240  4240 Z+   ttys001  Mon Nov 23 10:15:43 2026      0:00.00      0')?.zombie, true)
  t.equal(parseRow(' 4244  4240  4240 U    ??       Mon Nov 23 10:15:43 2026      0:00.00      0')?.zombie, false)
  t.equal(parseRow('(node)'), undefined)
})

t.test('shares a run among callers that came before it began', async t => {
  let runs = 0
  const open: (() => void)[] = []
  const shared = new SharedRun(async () => {
    runs += 1
    const run = runs
    await new Promise<void>(resolve => open.push(resolve))
    return run
  })
  const early = [shared.get(), shared.get()]
  await until('a command to be open', async () => open.length === 1)
  const late = [shared.get(), shared.get(), shared.get()]
  open.shift()?.()
  t.same(await Promise.all(early), [1, 1])
  await until('a command to be open', async () => open.length === 1)
  open.shift()?.()
  t.same(await Promise.all(late), [2, 2, 2], 'who comes late waits for a run that began after')
  const failing = new SharedRun(async () => {
    throw new Error('no')
  })
  await t.rejects(failing.get(), /no/)
  await t.rejects(failing.get(), /no/, 'a failure does not stay')
})

t.test('rejects when a program fails, times out or prints something else', async t => {
  const folder = t.testdir({ ps: '#!/bin/sh\nexit 3\n', lsof: '#!/bin/sh\nexit 1\n' })
  for (const name of ['ps', 'lsof']) chmodSync(join(folder, name), 0o755)
  const broken = new Tools(folder)
  await t.rejects(broken.ps(), { code: 'STEP_FAILED', message: /'ps' failed/, hint: /doctor/ })
  await t.rejects(new DarwinProcessTable(broken).start(process.pid), { code: 'STEP_FAILED' }, 'which is not "exited"')
  t.same(await broken.lsof(), [], 'lsof ends with 1 when nothing listens')
  t.same([...(await broken.given('A=b'))], [], 'a ps without -E shows no environments')

  // indexable-inc/index#2337: "ps: rss: requires entitlement", and 0.
  const poor = t.testdir({ ps: '#!/bin/sh\necho "ps: rss: requires entitlement" >&2\necho " 1 0 1 Ss ??"\n' })
  chmodSync(join(poor, 'ps'), 0o755)
  await t.rejects(
    new Tools(poor).ps(),
    { code: 'STEP_FAILED', message: /unexpected output/ },
    'no table is not an empty one',
  )

  t.comment('some of lsof, complaints, and 1: something could not be looked into')
  const complaints = recorded('lsof-warnings.txt').replaceAll("'", "'\\''")
  const some = `#!/bin/sh\nprintf 'p7\\ncnode\\nf20\\ntIPv6\\nn*:3000\\n'\nprintf '%s' '${complaints}' >&2\nexit 1\n`
  // A megabyte for each process, more than any buffer holds.
  const large =
    '#!/bin/sh\nfor pid in $(seq 40); do echo " $pid sh"; head -c 1000000 /dev/zero | tr "\\0" x; echo; done; echo " 41 sh A=b"\n'
  const partial = t.testdir({ lsof: some, ps: large })
  for (const name of ['ps', 'lsof']) chmodSync(join(partial, name), 0o755)
  const seeing = new Tools(`${partial}:${process.env['PATH']}`)
  t.same(await seeing.lsof(), [{ pid: 7, command: 'node', address: '::', port: 3000 }])
  t.same([...(await seeing.given('A=b'))], [41], 'environments of any size')
})

t.test('uses the system’s ps and lsof, except in a sandbox', async t => {
  t.match(toolPath('/nix/bin', undefined), /^\/usr\/bin:\/bin:.*:\/nix\/bin$/)
  t.match(toolPath('/nix/bin', 'box'), /^\/nix\/bin:\/usr\/bin:/)
  t.equal(toolPath(undefined, 'box'), toolPath('', undefined))
})
