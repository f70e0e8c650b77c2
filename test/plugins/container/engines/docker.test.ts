import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DockerSource } from '../../../../plugins/container/engines/docker.ts'
import type { EngineMachine } from '../../../../plugins/container/engines/machine.ts'
import { PodmanSource } from '../../../../plugins/container/engines/podman.ts'
import { machineOf, writeProgram } from './machine.ts'

/** What `docker version --format '{{json .}}'` of 28.2.2 prints. */
const version = (server: object | null) =>
  JSON.stringify({ Client: { Version: '28.2.2', ApiVersion: '1.50', Context: 'default' }, Server: server })

const linuxServer = { Platform: { Name: 'Docker Engine - Community' }, Version: '27.0.1', Os: 'linux' }
const silent = `echo '${version(null)}'
echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
exit 1`

function machineWith(home: string, script: string, given: Partial<EngineMachine> = {}): EngineMachine {
  const PATH = `${writeProgram(home, 'docker', script)}:/usr/bin:/bin`
  return machineOf({ home, ...given, env: { PATH, ...given.env } })
}

t.test('docker of this machine answers', async t => {
  const source = new DockerSource(machineWith(t.testdir(), `echo '${version(linuxServer)}'`))
  t.same(await source.look(), { state: 'running', version: '27.0.1', detail: 'docker' })
  const engine = await source.open(() => {})
  t.match(engine, { name: 'docker', dialect: 'docker', version: '27.0.1', isNative: true, hostName: undefined })
})

t.test('a docker in a VM is known by its socket or its name', async t => {
  const home = t.testdir()
  const env = { DOCKER_HOST: `unix://${home}/.colima/work/docker.sock` }
  const colima = new DockerSource(machineWith(home, `echo '${version(linuxServer)}'`, { env }))
  t.match(await colima.look(), { detail: 'colima' })
  const engine = await colima.open(() => {})
  t.match(engine, { isNative: false, hostName: 'host.docker.internal' })
  t.ok(await engine.shares(join(home, 'shop')))
  t.notOk(await engine.shares('/opt/data'), 'a folder outside of what the VM shares')
  t.notOk(await engine.shares(`${home}-other`))
  const desktop = { Platform: { Name: 'Docker Desktop 4.30.0 (149282)' }, Version: '26.1.1', Os: 'linux' }
  const source = new DockerSource(machineWith(t.testdir(), `echo '${version(desktop)}'`))
  t.match(await source.look(), { detail: 'Docker Desktop' })
})

t.test('an open docker stays with its engine when the current context changes', async t => {
  const id = createHash('sha256').update('work').digest('hex')
  const meta = { Name: 'work', Endpoints: { docker: { Host: 'unix:///run/work.sock' } } }
  const home = t.testdir({
    '.docker': {
      'config.json': JSON.stringify({ currentContext: 'work' }),
      contexts: { meta: { [id]: { 'meta.json': JSON.stringify(meta) } } },
    },
  })
  const source = new DockerSource(machineWith(home, `echo '${version(linuxServer)}'`))
  const engine = await source.open(() => {})
  t.equal(engine.command(['ps']).env['DOCKER_HOST'], 'unix:///run/work.sock')
})

t.test('a docker that is podman is recognized by the shape of its output', async t => {
  const home = t.testdir()
  const machine = machineWith(home, `test "$1" = --version || touch ${home}/used; echo 'podman version 4.3.1'`)
  t.match(await new DockerSource(machine).look(), { state: 'absent', reason: "the command `docker` is podman's" })
  t.match(await new PodmanSource(machine).look(), { state: 'running', version: '4.3.1' })
  t.notOk(existsSync(join(home, 'used')), 'more than `--version` would leave storage and a process behind')
})

t.test('a docker on another machine is refused without being asked', async t => {
  const home = t.testdir()
  const machine = machineWith(home, `touch ${home}/asked`, { env: { DOCKER_HOST: 'ssh://me:pw@build' } })
  t.same(await new DockerSource(machine).look(), {
    state: 'absent',
    reason: 'DOCKER_HOST is on another machine (ssh://me:…@build)',
    hint: 'Unset DOCKER_HOST and run `locald server restart`.',
  })
  t.notOk(existsSync(join(home, 'asked')))
})

t.test('a docker that does not answer gets the hint of its cause', async t => {
  const home = t.testdir()
  t.match(await new DockerSource(machineWith(home, silent)).look(), {
    reason: 'docker does not run',
    hint: 'Run `sudo systemctl start docker`.',
  })
  const orb = { DOCKER_HOST: `unix://${home}/.orbstack/run/docker.sock` }
  t.match(await new DockerSource(machineWith(home, silent, { os: 'darwin', env: orb })).look(), {
    reason: 'OrbStack does not run',
    hint: 'Run `orb start`.',
  })
  const denied = `echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1`
  t.match(await new DockerSource(machineWith(home, denied)).look(), { hint: /usermod -aG docker/ })
  mkdirSync(join(home, '.orbstack/run'), { recursive: true })
  writeFileSync(join(home, '.orbstack/run/docker.sock'), '')
  t.match(await new DockerSource(machineWith(home, silent)).look(), { hint: /DOCKER_HOST=unix:.*OrbStack listens/ })
})

t.test('without its command, the program whose socket is there is named', async t => {
  const home = t.testdir({ '.rd': { 'docker.sock': '' } })
  const machine = machineOf({ home, os: 'darwin', env: { PATH: '/nowhere' } })
  t.same(await new DockerSource(machine).look(), {
    state: 'absent',
    reason: 'the command of Rancher Desktop is not on PATH',
    hint: 'Run `brew install docker`.',
  })
})
