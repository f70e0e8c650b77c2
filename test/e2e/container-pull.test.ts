import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerSandbox, isOwnEngine } from '../lib/containers.ts'
import { configuration, textOf } from '../lib/containers-project.ts'
import { FaultyRegistry, Registry } from '../lib/containers-registry.ts'
import { until } from '../lib/running.ts'
import type { Test } from '../lib/sandbox.ts'
import { onEngine } from './container-suite.ts'

/** Makes a project, named like the fault, whose image comes from a registry that has it. */
async function pullingProject(
  t: Test,
  sandbox: ContainerSandbox,
  fault: 'cut' | 'stall',
  options: Readonly<Record<string, number>> = {},
): Promise<{ readonly faulty: FaultyRegistry; readonly folder: string }> {
  const registry = await Registry.start(t)
  const image = (await registry.push(sandbox, 'web')).replace(registry.address, '')
  const faulty = await FaultyRegistry.start(t, registry, 300_000, fault)
  sandbox.trust(faulty.address)
  const web = { image: `${faulty.address}${image}`, container_port: 80, ...options }
  return { faulty, folder: sandbox.project(fault, { 'locald.toml': configuration(fault, { web }) }) }
}

onEngine('an image is pulled with progress, as often as the service says', async (t, sandbox) => {
  const registry = await Registry.start(t)
  const image = await registry.push(sandbox, 'web', 'team/web:1')
  const project = (pull: string, reference = image) =>
    configuration('pulled', { web: { image: reference, container_port: 80, pull } })
  const folder = sandbox.project('pulled', { 'locald.toml': project('never') })
  const apply = async (text: string) => {
    sandbox.write(join(folder, 'locald.toml'), text)
    return await sandbox.run(['up', '--json'], { cwd: folder })
  }

  const never = await sandbox.run(['up', '--json'], { cwd: folder })
  t.equal(never.code, 1)
  t.match(never.stdout, /does not have the image/)
  t.match(never.stdout, /pull = .*missing/, 'with the key that forbids it')

  const missing = await apply(project('missing'))
  t.equal(missing.code, 0, missing.stdout)
  t.match(missing.stdout, /"event":"step"[^\n]*team\/web/, 'the pull is a step')
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')

  // Another image under the same name.
  await registry.push(sandbox, 'bare', 'team/web:1')
  await sandbox.ok(['stop'], { cwd: folder })
  await sandbox.ask('tag', await sandbox.image('web'), image)
  await sandbox.up(folder)
  t.equal(
    await textOf((await sandbox.service(folder, 'web')).port),
    'hello from web\n',
    'missing: the one that is there',
  )
  t.equal((await apply(project('always'))).code, 0)
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from bare\n', 'always: the newest')

  const unknown = await apply(project('missing', image.replace(/:1$/, ':none')))
  t.equal(unknown.code, 1)
  t.match(unknown.stdout, /could not be pulled|manifest unknown/)
  t.match(unknown.stdout, /:none/)
  const nowhere = await apply(project('missing', '127.0.0.1:1/none:1'))
  t.match(nowhere.stdout, /could not be pulled: .*refused/)
})

onEngine('a registry with credentials serves who has logged in', async (t, sandbox) => {
  const registry = await Registry.start(t, true)
  const image = await registry.push(sandbox, 'web')
  const folder = sandbox.project('private', {
    'locald.toml': configuration('private', { web: { image, container_port: 80 } }),
  })
  const refused = await sandbox.run(['up'], { cwd: folder })
  t.equal(refused.code, 1)
  t.match(refused.stderr + refused.stdout, /unauthorized|authentication required|no basic auth/)
  t.match(refused.stderr + refused.stdout, new RegExp(`login ${registry.address}`), 'the command that helps')
  await registry.login(sandbox)
  await sandbox.up(folder)
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')
})

onEngine('a pull that is cut fails, and the next one completes', async (t, sandbox) => {
  const { faulty, folder } = await pullingProject(t, sandbox, 'cut')
  const cut = await sandbox.run(['up'], { cwd: folder })
  t.equal(cut.code, 1)
  t.match(cut.stdout + cut.stderr, /could not be pulled/)
  faulty.left = Number.POSITIVE_INFINITY
  await sandbox.up(folder)
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')
})

onEngine('a pull that stalls is interrupted, and survives the daemon', async (t, sandbox) => {
  const { faulty, folder } = await pullingProject(t, sandbox, 'stall', { ready_timeout: 60 })
  const pulls = () => sandbox.processes().filter(({ command }) => /\bpull\b/.test(command))
  const stalls = async () => {
    const up = sandbox.start(['up', '--json'], { cwd: folder })
    await until('the stall of the pull', () => faulty.left <= 0 && pulls().length > 0)
    return up
  }
  const interrupted = await stalls()
  interrupted.child.kill('SIGINT')
  t.not((await interrupted.done).code, 0)
  await until('the exit of the pull', () => pulls().length === 0)
  t.same(await sandbox.containers(), [])
  t.match(await sandbox.service(folder, 'web'), { status: 'stopped' })

  faulty.left = 300_000
  const restarted = await stalls()
  faulty.left = Number.POSITIVE_INFINITY
  await sandbox.ok(['server', 'restart'])
  await restarted.done
  await sandbox.up(folder)
  t.equal(await textOf((await sandbox.service(folder, 'web')).port), 'hello from web\n')
  t.same(pulls(), [])
})

onEngine(
  'a full disk fails the pull with its reason',
  async (t, sandbox) => {
    const registry = await Registry.start(t)
    const image = await registry.push(sandbox, 'redis')
    const storage = join(sandbox.home, 'data', 'containers')
    await sandbox.ask('system', 'reset', '--force')
    if (!existsSync(storage)) mkdirSync(storage, { recursive: true })
    const { uid, gid } = sandbox.user ?? { uid: 0, gid: 0 }
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=4m,uid=${uid},gid=${gid}`, 'none', storage])
    if (mounted.status !== 0) throw new Error(String(mounted.stderr))
    sandbox.atEnd(async () => {
      spawnSync('umount', ['-l', storage])
    })
    const folder = sandbox.project('full', {
      'locald.toml': configuration('full', { cache: { image, container_port: 6379 } }),
    })
    const full = await sandbox.run(['up'], { cwd: folder })
    t.equal(full.code, 1)
    t.match(full.stdout + full.stderr, /could not be pulled/)
    t.match(full.stdout + full.stderr, /no space left/)
  },
  { skip: !isOwnEngine ? 'the engine has a disk of its own' : process.getuid?.() !== 0 && 'only root may mount' },
)
