import { join } from 'node:path'
import t from 'tap'
import { ServiceLog } from '../../../../kernel/logs/service-log.ts'
import { ClientLog } from '../../../../plugins/container/logs/client-log.ts'
import { until } from '../../../lib/running.ts'
import { engineOf } from '../fake-engine.ts'
import { readLog } from './conmon.ts'

/** As podman 4.3 does on SIGTERM: it drops lines and prints later ones. */
const following = `
trap 'echo 2026-01-01T00:00:00.000003Z three; exit 0' TERM
echo 2026-01-01T00:00:00.000001Z one
sleep 1000 >&- 2>&- & wait
kill $!`
const whole = 'for line in "1Z one" "2Z two" "3Z three"; do echo "2026-01-01T00:00:00.00000$line"; done'

t.test('what a client prints after it was stopped is read from the next one', async t => {
  const folder = join(t.testdir(), 'logs')
  const follower = new ClientLog({
    engine: engineOf(args => ({ argv: ['sh', '-c', args.includes('--follow') ? following : whole], env: {} })),
    container: 'c',
    log: new ServiceLog(folder),
    isNew: true,
    signal: new AbortController().signal,
  })
  const texts = async () => (await readLog(join(folder, 'log'))).map(({ text }) => text)
  await until('the first line', async () => (await texts()).length > 0)
  await follower.drained()
  t.strictSame(await texts(), ['one', 'two', 'three'])
})
