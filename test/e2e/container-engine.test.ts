import t from 'tap'
import { ContainerSandbox, isOwnEngine, noContainers } from '../lib/containers.ts'
import { Sandbox, type SandboxOptions, type Test } from '../lib/sandbox.ts'

const config = `[project]
name = "shop"

[services.cache]
type = "container"
image = "redis:7"
container_port = 6379

[services.web]
type = "worker"
command = "sleep 100"
`

/** A sandbox with no program on PATH. */
function withoutEngines(t: Test, options: SandboxOptions = {}): Sandbox {
  return new Sandbox(t, { ...options, env: { PATH: '/nowhere' } })
}

t.test('without an engine a project with containers is refused before anything starts', async t => {
  const sandbox = withoutEngines(t)
  const folder = sandbox.project('shop', { 'locald.toml': config })
  const ran = await sandbox.run(['up'], { cwd: folder })
  t.equal(ran.code, 2)
  t.match(ran.stderr, "service 'cache': type 'container' is not available: no container engine is installed")
  t.match(ran.stderr, 'locald.toml:5: services.cache.type')
  t.match(ran.stderr, /Hint: .*; or use `command = "\.\.\."` to run a native process\./)
  t.same(
    (await sandbox.status()).filter(({ status }) => status !== 'stopped'),
    [],
    'not even its other service',
  )
})

t.test('as macOS the refusal names Lima and the native alternative', async t => {
  const sandbox = withoutEngines(t, { platform: 'darwin' })
  const folder = sandbox.project('shop', { 'locald.toml': config })
  const ran = await sandbox.run(['up'], { cwd: folder })
  t.equal(ran.code, 2)
  t.match(ran.stderr, 'locald.toml:5: services.cache.type')
  t.match(ran.stderr, "service 'cache': type 'container' is not available: Lima is not installed")
  t.match(
    ran.stderr,
    /Hint: `brew install lima` or `locald vm install`; or use `command = "\.\.\."` to run a native process\./,
  )
})

t.test('doctor reports the engine, its version and why it is used', { skip: noContainers }, async t => {
  const sandbox = new ContainerSandbox(t)
  const before = await sandbox.ok(['doctor', '--verbose'])
  t.match(before.stdout, /pass {2}containers .*Container services: \w+ \d+\.\d+.*\((?:already running|.* names it)\)/)
  t.match(before.stdout, /skip {2}container-trial .*once a project has container services/)
  const folder = sandbox.project('shop', { 'locald.toml': config.replace('redis:7', await sandbox.image('redis')) })
  await sandbox.up(folder)
  const after = await sandbox.run(['doctor', '--verbose'])
  t.match(after.stdout, /(?:pass|warn) {2}container-trial .*(?:built, ran and checked a container|not finished within)/)
  if (isOwnEngine) t.match(after.stdout, /warn {2}podman .*the storage driver vfs copies whole images|pass {2}podman /)
  await sandbox.ok(['stop'], { cwd: folder })
})
