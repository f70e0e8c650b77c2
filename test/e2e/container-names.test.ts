import { join } from 'node:path'
import { configuration, containerOf, textOf } from '../lib/containers-project.ts'
import { fetchFrom } from '../lib/web.ts'
import { onEngine } from './container-suite.ts'

/** A reference in a configuration. */
const of = (field: string) => `\${services.${field}}`

onEngine('services reach containers by name, from this machine and from other containers', async (t, sandbox) => {
  const busybox = await sandbox.image('busybox')
  const references = { DB_URL: of('db.url'), DB_PORT: of('db.port'), DB_HOST: of('db.host'), MORE: of('db.ports.81') }
  const folder = sandbox.project('names', {
    'locald.toml': configuration('names', {
      front: { command: 'exec sleep 1000', type: 'worker', depends_on: ['db'], env: references },
      db: { image: await sandbox.image('web'), container_port: 80, ports: ['81'] },
      work: { image: busybox, command: ['sleep', '1000'], depends_on: ['db'], env: references },
    }),
  })
  await sandbox.up(folder)
  const { port } = await sandbox.service(folder, 'db')
  const run = async (service: string, script: string) =>
    await sandbox.run(['run', service, '--', 'sh', '-c', script], { cwd: folder })

  t.match(await run('work', 'wget -qO- http://db/'), { code: 0, stdout: 'hello from web\n' })
  t.match(await run('work', 'wget -qO- $DB_URL'), { code: 0, stdout: 'hello from web\n' })
  t.match(await run('work', 'echo $DB_URL $DB_HOST $DB_PORT $MORE'), { stdout: 'http://db:80 db 80 81\n' })
  t.match(await run('work', 'echo out; echo err >&2; exit 7'), { code: 7, stdout: 'out\n', stderr: /err/ })

  t.equal(await textOf(port), 'hello from web\n', 'on 127.0.0.1')
  t.match(await run('front', 'echo $DB_URL $DB_HOST $DB_PORT'), {
    stdout: `http://127.0.0.1:${port} 127.0.0.1 ${port}\n`,
  })
  const published = await sandbox.ask('port', await containerOf(sandbox, 'names', 'db'), '81/tcp')
  t.equal((await run('front', 'echo $MORE')).stdout.trim(), published.split(':')[1], 'each further port has its own')
  t.equal((await sandbox.get('db.names.localhost')).body, 'hello from web\n', 'by its URL')
})

onEngine('two projects use one service name, and two worktrees one project', async (t, sandbox) => {
  const web = await sandbox.image('web')
  const busybox = await sandbox.image('busybox')
  const services = (text: string) => ({
    web: { image: web, container_port: 80, volumes: ['./page:/www:ro', 'data:/data'] },
    peer: { image: busybox, command: ['sleep', '1000'], depends_on: ['web'], env: { TEXT: text } },
  })
  const files = (project: string, text: string) => ({
    'locald.toml': configuration(project, services(text)),
    'page/index.html': text,
  })
  const first = sandbox.project('first', files('first', 'one'))
  const second = sandbox.project('second', files('second', 'two'))
  const git = async (...args: string[]) => {
    const ran = await sandbox.spawn(['git', '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
      cwd: first,
    }).done
    if (ran.code !== 0) throw new Error(ran.stderr)
  }
  await git('init', '-q', '-b', 'main')
  await git('add', '.')
  await git('commit', '-qm', 'first')
  const tree = join(sandbox.home, 'tree')
  await git('worktree', 'add', '-q', '-b', 'feature', tree)
  sandbox.write(join(tree, 'page', 'index.html'), 'three')
  const folders = [first, second, tree]
  await Promise.all(folders.map(folder => sandbox.up(folder)))
  const ports = await Promise.all(folders.map(async folder => (await sandbox.service(folder, 'web')).port))
  t.equal(new Set(ports).size, 3)
  t.same(await Promise.all(ports.map(port => textOf(port))), ['one', 'two', 'three'])
  const peers = (await sandbox.containers()).filter(({ name }) => name.includes('-peer-'))
  t.equal(peers.length, 3)
  const seen = await Promise.all(peers.map(({ name }) => sandbox.ask('exec', name, 'wget', '-qO-', 'http://web/')))
  t.same(seen.sort(), ['one', 'three', 'two'], 'each network has its own web')
  await sandbox.ok(['stop'], { cwd: tree })
  t.equal((await sandbox.containers()).length, 4, 'the others run')
  t.equal((await fetchFrom(ports[0] ?? 0, 'localhost', '/')).body, 'one')
})
