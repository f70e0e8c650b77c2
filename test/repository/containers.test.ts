import { existsSync } from 'node:fs'
import t from 'tap'
import { ContainerSandbox, noContainers } from '../lib/containers.ts'
import { FaultyRegistry, Registry } from '../lib/containers-registry.ts'
import { freePort } from '../lib/ports.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { fetchFrom } from '../lib/web.ts'

t.test('the tests have a container engine', { skip: noContainers }, async t => {
  let home = ''

  await t.test('an image answers on a port, and nothing is left behind', async t => {
    const sandbox = new ContainerSandbox(t)
    home = sandbox.home
    const port = await freePort()
    await sandbox.ask('network', 'create', 'one')
    const words = ['run', '-d', '--name', 'web', '--init', '--network', 'one', '-p', `127.0.0.1:${port}:80`]
    await sandbox.ask(...words, await sandbox.image('web'))
    const answer = await until('an answer', async () => await fetchFrom(port, 'localhost', '/').catch(() => undefined))
    t.equal(answer.body, 'hello from web\n')
    t.same(await sandbox.containers(), [], 'it is not one of locald')
    t.equal(
      await sandbox.ask('run', '--rm', '--network', 'one', await sandbox.image('busybox'), 'wget', '-qO-', 'web'),
      'hello from web',
    )
  })

  t.notOk(existsSync(home))
  t.same(processList.naming(home), [])

  await t.test('a registry serves those who log in', async t => {
    const sandbox = new ContainerSandbox(t)
    const registry = await Registry.start(t, true)
    const reference = await registry.push(sandbox, 'busybox')
    await t.rejects(sandbox.ask('pull', '-q', reference), /authentication required|unauthorized|no basic auth/)
    await registry.login(sandbox)
    await sandbox.ask('pull', '-q', reference)
  })

  await t.test('a faulty registry cuts a pull', async t => {
    const sandbox = new ContainerSandbox(t)
    const registry = await Registry.start(t)
    const reference = await registry.push(sandbox, 'busybox')
    const faulty = await FaultyRegistry.start(t, registry, 300_000, 'cut')
    sandbox.trust(faulty.address)
    await t.rejects(sandbox.ask('pull', '-q', reference.replace(registry.address, faulty.address)), /EOF|reset/)
  })
})
