/** Following commands whose reader leaves, as `| head -1` does. */
import t from 'tap'
import { onlyLinux } from '../lib/machine.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

t.test(
  'a following command exits when its reader leaves, without another line',
  { skip: onlyLinux('poll(2)') },
  async t => {
    const sandbox = new Sandbox(t)
    const project = sandbox.project('shop', {
      'locald.toml':
        '[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "echo first; exec sleep 200701"\n',
    })
    await sandbox.up(project)
    for (const [args, first] of [
      [['logs', '-f'], 'first'],
      [['status', '--watch'], 'web'],
    ] as const) {
      const running = sandbox.start(args, { cwd: project })
      t.teardown(() => running.child.kill('SIGKILL'))
      await until(`${args.join(' ')} prints a line`, () => running.stdout.includes(first))
      running.child.stdout?.destroy()
      await until(`${args.join(' ')} exits`, () => running.child.exitCode !== null)
      t.equal(running.child.exitCode, 0, `${args.join(' ')}: ${running.stderr}`)
    }
  },
)
