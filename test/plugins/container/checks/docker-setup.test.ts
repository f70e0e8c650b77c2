import t from 'tap'
import { checkDocker } from '../../../../plugins/container/checks/docker-setup.ts'
import { machineOf, writeProgram } from '../engines/machine.ts'

t.test('an engine whose command is missing is named', async t => {
  const home = t.testdir({ '.orbstack': { run: { 'docker.sock': '' } }, '.colima': { default: { 'docker.sock': '' } } })
  const machine = machineOf({ home, os: 'darwin', env: { PATH: '/nowhere' } })
  t.same(await checkDocker(machine), {
    status: 'warn',
    severity: 'optional',
    summary: 'docker: OrbStack, colima is there, and the command `docker` is not',
    fix: 'Run `brew install docker`.',
  })
  t.match(await checkDocker({ ...machine, home: '/nowhere' }), { status: 'skip' })
})

t.test('a credential helper that is not installed is named', async t => {
  const config = { credsStore: 'desktop', credHelpers: { 'ghcr.io': 'gh' } }
  const home = t.testdir({ '.docker': { 'config.json': JSON.stringify(config) } })
  const env = { PATH: writeProgram(home, 'docker', '') }
  writeProgram(home, 'docker-credential-gh', '')
  t.match(await checkDocker(machineOf({ home, env })), {
    status: 'warn',
    summary: /names docker-credential-desktop, which is not installed: pulls fail/,
  })
  writeProgram(home, 'docker-credential-desktop', '')
  t.match(await checkDocker(machineOf({ home, env })), { status: 'pass' })
})
