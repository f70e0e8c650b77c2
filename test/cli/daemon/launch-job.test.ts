import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { startAsJob } from '../../../cli/daemon/launch-job.ts'
import { resolvePaths } from '../../../kernel/system/paths.ts'

const exits = [
  { name: 'a signal', line: 'last terminating signal = Killed: 9', why: 'killed by Killed: 9' },
  { name: 'a code', line: 'last exit code = 78: EX_CONFIG', why: 'exited with code 78' },
  { name: 'a job that launchd does not know', line: '', why: 'exited with an unknown code' },
] as const

for (const { name, line, why } of exits) {
  t.test(`reports how the job exited: ${name}`, async t => {
    const home = t.testdir()
    const programs = join(home, 'bin')
    mkdirSync(programs)
    // A start is reported when it has taken a second.
    const print = line === '' ? 'exit 113' : `echo '  ${line}'`
    writeFileSync(join(programs, 'launchctl'), `#!/bin/sh\ncase $1 in bootstrap) sleep 1 ;; print) ${print} ;; esac\n`)
    chmodSync(join(programs, 'launchctl'), 0o755)
    const written = t.capture(process.stderr, 'write', () => true)
    const path = process.env['PATH']
    t.teardown(() => {
      process.env['PATH'] = path
    })
    process.env['PATH'] = [programs, path].join(delimiter)
    const paths = resolvePaths({ env: { HOME: home, XDG_RUNTIME_DIR: home, LOCALD_SANDBOX: 'test' } })
    const job = { run: ['/bin/true'], paths, limitMs: 20_000 } as const
    t.equal(await startAsJob(job, async () => undefined), undefined)
    t.match(
      written()
        .map(({ args }) => String(args[0]))
        .join(''),
      `launchd did not start the daemon: ${why};`,
    )
  })
}
