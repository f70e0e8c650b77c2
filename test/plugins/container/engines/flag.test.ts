import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkEngines } from '../../../../plugins/container/checks/engines.ts'
import { Engines } from '../../../../plugins/container/engines/engines.ts'
import { readContainersFlag } from '../../../../plugins/container/engines/flag.ts'
import type { EngineMachine } from '../../../../plugins/container/engines/machine.ts'
import { RememberedEngines } from '../../../../plugins/container/engines/remembered.ts'
import { machineOf, writeProgram } from './machine.ts'

function enginesOf(machine: EngineMachine): Engines {
  const remembered = new RememberedEngines(join(machine.home, 'engines.json'), { warn: () => {} })
  return new Engines({ machine, setting: undefined, remembered })
}

t.test('the flag follows what is installed now', async t => {
  const home = t.testdir()
  const PATH = join(home, 'bin')
  const engines = enginesOf(machineOf({ home, env: { PATH } }))
  t.match(readContainersFlag(engines), {
    on: false,
    reason: 'no container engine is installed',
    hint: /^(?:Run `.* podman`|Install podman or docker); or use `command = "\.\.\."` to run a native process\.$/,
  })
  writeProgram(home, 'docker', '')
  t.same(readContainersFlag(engines), { on: true, reason: 'docker' })
  rmSync(PATH, { recursive: true })
  engines.add({ name: 'vm', isInstalled: () => true, look: () => Promise.reject(), open: () => Promise.reject() })
  t.same(readContainersFlag(engines), { on: true, reason: 'vm' })
})

t.test('on macOS the flag names Lima', async t => {
  const home = t.testdir()
  t.match(readContainersFlag(enginesOf(machineOf({ home, os: 'darwin', env: { PATH: '/nowhere' } }))), {
    on: false,
    reason: 'Lima is not installed',
    hint: /^`brew install lima` or `locald vm install`; or use `command = "\.\.\."` to run a native process\.$/,
  })
})

t.test('the check has the engine that is used, why, and the others', async t => {
  const home = t.testdir()
  const PATH = `${writeProgram(home, 'podman', 'echo podman version 4.3.1')}:/usr/bin:/bin`
  const engines = enginesOf(machineOf({ home, env: { PATH: join(home, 'bin') } }))
  t.match(await checkEngines(engines), {
    status: 'pass',
    summary: 'Container services: podman 4.3.1, rootless (already running)',
  })
  writeProgram(home, 'docker', 'echo Cannot connect to the Docker daemon >&2; exit 1')
  t.match(await checkEngines(enginesOf(machineOf({ home, env: { PATH } }))), {
    summary: 'Container services: podman 4.3.1, rootless (already running); docker does not run',
  })
  writeProgram(home, 'podman', 'exit 1')
  t.match(await checkEngines(enginesOf(machineOf({ home, env: { PATH } }))), {
    status: 'warn',
    summary: 'Container services: docker does not run',
    fix: 'Run `sudo systemctl start docker`.',
  })
})
