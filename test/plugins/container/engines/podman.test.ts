import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PodmanSource } from '../../../../plugins/container/engines/podman.ts'
import { runProgram } from '../../../../plugins/lib/programs.ts'
import { machineOf, writeProgram } from './machine.ts'

const ignore = () => {}

t.test('podman of this machine answers, and its containers are of this kernel', async t => {
  const home = t.testdir()
  const storage = join(home, 'storage.conf')
  writeFileSync(storage, `[storage]\ndriver = "vfs"\nrunroot = "${home}/run"\ngraphroot = "${home}/graph"\n`)
  const env = { PATH: process.env['PATH'], CONTAINERS_STORAGE_CONF: storage, XDG_RUNTIME_DIR: home, TMPDIR: home }
  const source = new PodmanSource(machineOf({ home, env, uid: process.getuid?.() ?? 0 }))
  const found = await source.look()
  t.match(found, { state: 'running', version: /^\d+\.\d+/, detail: process.getuid?.() === 0 ? 'rootful' : 'rootless' })
  t.notOk(existsSync(join(home, 'graph')), 'looking makes nothing')
  const engine = await source.open(ignore)
  t.match(engine, { name: 'podman', dialect: 'podman', isNative: true, hostName: undefined })
  t.ok(await engine.shares('/anywhere'))
  const { argv, env: whole } = engine.command(['ps', '--all', '--quiet'])
  t.match(await runProgram(argv[0], argv.slice(1), { env: whole }), { code: 0, stdout: '' })
})

t.test('without podman the hint is one command of this system', async t => {
  const home = t.testdir()
  const linux = machineOf({ home, env: { PATH: writeProgram(home, 'apt-get', '') } })
  t.same(await new PodmanSource(linux).look(), {
    state: 'absent',
    reason: 'podman is not installed',
    hint: 'Run `sudo apt install podman`.',
  })
  const mac = machineOf({ home, os: 'darwin', env: { PATH: '/nowhere' } })
  t.match(await new PodmanSource(mac).look(), { hint: 'Run `brew install podman`.' })
  await t.rejects(new PodmanSource(linux).open(ignore), { code: 'ENGINE_FAILED', message: 'podman is not installed' })
})

t.test('a podman on another machine is refused without being asked', async t => {
  const home = t.testdir()
  const PATH = writeProgram(home, 'podman', `touch ${home}/asked`)
  const env = { PATH, CONTAINER_HOST: 'ssh://me@build/run/podman.sock' }
  const found = await new PodmanSource(machineOf({ home, env })).look()
  t.match(found, { state: 'absent', reason: 'podman is on another machine: ssh://me@build/run/podman.sock' })
  t.notOk(existsSync(join(home, 'asked')))
})

t.test('a podman that can run nothing fails with its error and what to do', async t => {
  const home = t.testdir()
  const script = `case $1 in
--version) echo 'podman version 4.3.1' ;;
*) echo 'Error: command required for rootless mode with multiple IDs: exec: "newuidmap": executable file not found in $PATH' >&2; exit 125 ;;
esac`
  writeProgram(home, 'apt-get', '')
  const PATH = `${writeProgram(home, 'podman', script)}:/usr/bin:/bin`
  await t.rejects(new PodmanSource(machineOf({ home, env: { PATH } })).open(ignore), {
    code: 'ENGINE_FAILED',
    message: /^podman does not work for this user: command required .* "newuidmap"/,
    hint: 'Run `sudo apt install uidmap`. Rootless podman needs newuidmap.',
  })
})

t.test('the stopped VM of macOS is started without a question, none is made', async t => {
  const home = t.testdir()
  const script = `case "$1 $2" in
'--remote version')
  test -e ${home}/up || { echo 'Cannot connect to Podman.' >&2; exit 125; }
  echo '{"Client":{"APIVersion":"5.2.0","Version":"5.2.0"},"Server":{"APIVersion":"5.1.0","Version":"5.1.0"}}' ;;
'machine list') cat ${home}/machines ;;
'machine start') echo x >>${home}/started; : >${home}/up ;;
'system connection') echo '[]' ;;
esac`
  const PATH = `${writeProgram(home, 'podman', script)}:/usr/bin:/bin`
  const source = new PodmanSource(machineOf({ home, os: 'darwin', env: { PATH } }))
  writeFileSync(join(home, 'machines'), '[]')
  t.match(await source.look(), {
    state: 'absent',
    reason: 'podman has no VM',
    hint: 'Run `podman machine init --now`.',
  })
  writeFileSync(join(home, 'machines'), '[{"Name":"podman-machine-default","Running":false}]')
  t.match(await source.look(), { state: 'startable' })
  t.notOk(existsSync(join(home, 'started')), 'looking starts nothing')
  const steps: string[] = []
  const engine = await source.open(text => steps.push(text))
  t.match(engine, { version: '5.1.0', isNative: false, hostName: 'host.containers.internal' })
  t.same(steps, ['podman machine start'])
  t.equal(readFileSync(join(home, 'started'), 'utf8'), 'x\n')
  t.match(await source.look(), { state: 'running', detail: 'in a VM' })
  t.ok(await engine.shares('/Users/me/shop'))
  t.notOk(await engine.shares('/opt/data'))
})
