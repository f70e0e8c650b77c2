import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ContainerSandbox, engineName, isOwnEngine, noContainers } from '../lib/containers.ts'
import { configuration, containerOf } from '../lib/containers-project.ts'

const projectOf = (image: string) =>
  configuration('shop', {
    web: {
      ...{ image, container_port: 80, volumes: ['content:/content'], env: { LEVEL: 'debug' } },
      commands: {
        look: {
          run: `printf '<%s>\\n' \${note} "$LEVEL"; hostname; wget -qO- http://127.0.0.1; exit 3`,
          args: { note: { default: '-' } },
        },
      },
    },
  })

t.test('locald container lists, runs and removes what is its own', { skip: noContainers }, async t => {
  const sandbox = new ContainerSandbox(t)
  const image = await sandbox.image('web')
  const folder = sandbox.project('shop', { 'locald.toml': projectOf(image) })
  const json = async (...words: readonly string[]) =>
    JSON.parse((await sandbox.ok(['container', ...words, '--json'], { cwd: folder })).stdout)

  await t.test('engine shows what a new project would use', async t => {
    t.match(await json('engine'), {
      project: 'shop',
      engine: engineName,
      engines: [{ name: 'docker' }, { name: 'podman' }],
    })
    t.same(await json('ls'), [])
  })

  await sandbox.up(folder)

  await t.test('ls lists the containers of all projects', async t => {
    t.match(await json('ls'), [{ project: 'shop', service: 'web', state: 'running', engine: engineName }])
    const shown = await sandbox.ok(['container', 'ls'])
    t.match(shown.stdout, /PROJECT +SERVICE +STATE .*\nshop +web +running /)
    t.match(await json('engine'), { engine: engineName, reason: 'the project used it before' })
  })

  await t.test("a service's own command runs inside its container", async t => {
    const name = await sandbox.inspect(await containerOf(sandbox, 'shop', 'web'), '{{.Config.Hostname}}')
    const note = `'; exit 9; $(exit 9) *`
    const ran = await sandbox.run(['run', 'web', 'look', '--note', note], { cwd: folder })
    t.match(ran, { code: 3, stdout: `<${note}>\n<debug>\n${name}\nhello from web\n` })
  })

  await t.test('run is on the network of the project, and exits with the code of the command', async t => {
    const busybox = await sandbox.image('busybox')
    const words = ['container', 'run', busybox, '--']
    const asked = await sandbox.ok([...words, 'wget', '-qO-', 'http://web'], { cwd: folder })
    t.equal(asked.stdout, 'hello from web\n')
    const read = await sandbox.run([...words, 'sh', '-c', 'cat; echo "$1" >&2; exit 7', 'sh', "it's $HOME"], {
      cwd: folder,
      input: 'from stdin\n',
    })
    t.match(read, { code: 7, stdout: 'from stdin\n', stderr: /it's \$HOME\n/ })
    t.equal((await sandbox.containers()).length, 1, 'no container is left')
    t.match(await sandbox.run(['container', 'run'], { cwd: folder }), { code: 2, stderr: /needs an image/ })
    t.match(await sandbox.run(['container', 'run', '-it', busybox]), { code: 2, stderr: /unexpected argument '-it'/ })
  })

  await t.test('another engine is refused while the project runs, and then lists the volumes left behind', async t => {
    const other = engineName === 'docker' ? 'podman' : 'docker'
    const refused = await sandbox.run(['container', 'engine', other], { cwd: folder })
    t.match(refused, { code: 2, stderr: new RegExp(`services of 'shop' run in ${engineName}: web`) })
    t.match(await sandbox.run(['container', 'engine', 'dokcer'], { cwd: folder }), { stderr: /Use 'docker'/ })
    if (!isOwnEngine) return
    await sandbox.ok(['stop'], { cwd: folder })
    const changed = await json('engine', other)
    t.match(changed, { project: 'shop', engine: other, before: engineName, volumes: [/^locald-shop-content-/] })
    t.match(await json('engine', engineName), { engine: engineName, before: other })
    t.match(await json('engine'), { engine: engineName, reason: '`locald container engine` set it' })
    t.match(await sandbox.run(['container', 'engine', other], { cwd: '/' }), { code: 2, stderr: /no project/ })
  })

  await t.test('prune removes what a deleted project left, and nothing else', async t => {
    await sandbox.ask('volume', 'create', 'of-someone-else')
    const volumes = async () => (await sandbox.ask('volume', 'ls', '--format', '{{.Name}}')).split('\n').sort()
    t.match(await json('prune'), { found: [] }, 'the project exists')
    await sandbox.ok(['stop'], { cwd: folder })
    rmSync(join(folder), { recursive: true })
    const found = await sandbox.ok(['container', 'prune', '--dry-run'])
    t.match(found.stdout, /Would remove .*`locald container prune --yes`/)
    t.match(found.stdout, /volume +locald-shop-content-/)
    t.match(await volumes(), [/locald-shop-content/, 'of-someone-else'], 'nothing is removed yet')
    const removed = await sandbox.ok(['container', 'prune', '--yes', '--json'])
    t.match(JSON.parse(removed.stdout), { removed: [{ kind: 'volume', path: folder }], failed: [] })
    t.same(await volumes(), ['of-someone-else'])
    t.match((await sandbox.ok(['container', 'prune', '--yes'])).stdout, 'Nothing to remove.')
    await sandbox.ask('volume', 'rm', 'of-someone-else')
  })
})
