import { join } from 'node:path'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { type ContainerSandbox, isOwnEngine } from '../lib/containers.ts'
import { configuration, textOf } from '../lib/containers-project.ts'
import { until } from '../lib/running.ts'
import { root } from '../lib/user.ts'
import { onEngine } from './container-suite.ts'

const skip = !isOwnEngine && 'the engine in the VM is the podman of the tests'

/** Gives a sandbox a limactl whose VM is this machine: its engine is the sandbox's own podman. */
async function serverWithLima(sandbox: ContainerSandbox, settings: string): Promise<void> {
  const program = join(sandbox.copy(join(root, 'build', 'test', 'fakes', 'limactl'), 'fake'), 'limactl')
  sandbox.write(join(sandbox.home, 'fake', 'package.json'), '{ "type": "module" }')
  const main = join(sandbox.home, 'fake', 'main.js')
  sandbox.write(program, `#!/bin/sh\nexec '${process.execPath}' -- '${main}' "$@"\n`, 0o755)
  const home = join(sandbox.home, 'l')
  sandbox.write(join(home, '_guest.json'), JSON.stringify(sandbox.env))
  const options = `[plugins.container]\nengine = "lima"\n[plugins.container-lima]\nengine = "podman"\nallow_slow = true\n`
  sandbox.write(join(resolvePaths({ env: sandbox.env }).config, 'config.toml'), `${options}${settings}`)
  await sandbox.ok(['server', 'start'], { env: { LIMACTL: program, LOCALD_LIMA_HOME: home } })
}

onEngine(
  'a service runs in the VM, and starts again with a VM that was killed',
  async (t, sandbox) => {
    await serverWithLima(sandbox, 'idle_stop = "3s"\n')
    const folder = sandbox.project('vm', {
      'locald.toml': configuration('vm', { web: { image: await sandbox.image('web'), container_port: 80 } }),
    })
    await sandbox.up(folder)
    const { port } = await sandbox.service(folder, 'web')
    t.equal(await textOf(port), 'hello from web\n')
    t.match((await sandbox.ok(['run', 'web', '--', 'echo', 'a b'], { cwd: folder })).stdout, 'a b')
    const vm = async (): Promise<unknown> => JSON.parse((await sandbox.ok(['vm', 'status', '--json'])).stdout)
    t.match(await vm(), { state: 'running', services: 1, engine: /^podman/ })
    t.match(await sandbox.run(['vm', 'stop']), { code: 2, stderr: /vm:web uses the VM/ })

    const agent = sandbox.processes().find(({ command }) => command.includes('host-agent.js'))
    t.ok(agent)
    if (agent !== undefined) process.kill(agent.pid, 'SIGKILL')
    const again = await until('the service to run again', async () => {
      const now = await sandbox.service(folder, 'web')
      return now.status === 'running' && now.restarts > 0 && now.health === 'healthy' && now
    })
    t.equal(await textOf(again.port), 'hello from web\n')
    await sandbox.ok(['stop'], { cwd: folder })
    t.same(await sandbox.containers(), [])
    await until('the idle VM to stop', async () => /"stopped"/.test(JSON.stringify(await vm())))

    await sandbox.up(folder)
    await sandbox.ok(['vm', 'stop', '--yes'])
    t.match(await sandbox.service(folder, 'web'), { status: 'stopped' }, 'and so does not start the VM again')
    t.match(await vm(), { state: 'stopped', services: 0 })
    await sandbox.ok(['vm', 'delete', '--yes'])
  },
  { skip, timeout: 300_000 },
)
