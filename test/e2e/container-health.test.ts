import { configuration, containerOf } from '../lib/containers-project.ts'
import { until } from '../lib/running.ts'
import { onEngine } from './container-suite.ts'

onEngine('health comes from the image, a health check or the port', async (t, sandbox) => {
  const web = { image: await sandbox.image('web'), container_port: 80 }
  const idle = { image: await sandbox.image('busybox'), command: ['sleep', '1000'] }
  const folder = sandbox.project('health', {
    'locald.toml': configuration('health', {
      image: { image: await sandbox.image('healthcheck'), container_port: 80 },
      port: web,
      http: { ...web, health_check: { type: 'http', path: '/index.html', interval: 0.5 } },
      tcp: { ...web, health_check: { type: 'tcp' } },
      inside: {
        ...idle,
        health_check: 'test -e /tmp/ready',
        command: ['sh', '-c', 'sleep 1; touch /tmp/ready; sleep 1000'],
      },
      log: {
        ...idle,
        command: ['sh', '-c', 'echo now listening; sleep 1000'],
        health_check: { type: 'log', pattern: 'listening' },
      },
      none: idle,
      missing: { ...web, health_check: { type: 'http', path: '/none' }, ready_timeout: 2 },
      closed: { ...idle, container_port: 80, ready_timeout: 2 },
    }),
  })
  const ran = await sandbox.run(['up', '--json'], { cwd: folder })
  t.equal(ran.code, 1, 'two are not healthy')
  const views = new Map((await sandbox.status(folder)).map(view => [view.name, view]))
  for (const name of ['image', 'port', 'http', 'tcp', 'inside', 'log'])
    t.match(views.get(name), { status: 'running', health: 'healthy' }, name)
  t.match(views.get('none'), { status: 'running', health: null })
  t.match(views.get('missing'), { status: 'running', health: 'unhealthy', reason: /404/ })
  t.match(views.get('closed'), { status: 'running', health: 'unhealthy', reason: String }, 'nothing listens inside')

  const becomes = async (name: string, health: string) =>
    await until(`${name} to be ${health}`, async () => (await sandbox.service(folder, name)).health === health)
  const checked = await containerOf(sandbox, 'health', 'image')
  await sandbox.ask('exec', checked, 'rm', '/tmp/healthy')
  await becomes('image', 'unhealthy')
  await sandbox.ask('exec', checked, 'touch', '/tmp/healthy')
  await becomes('image', 'healthy')
})

onEngine('a container that is ready only when its health check succeeds holds its dependents', async (t, sandbox) => {
  const folder = sandbox.project('held', {
    'locald.toml': configuration('held', {
      db: { image: await sandbox.image('healthcheck'), container_port: 80 },
      seed: { type: 'worker', command: 'date +%s%N >seeded', depends_on: ['db'] },
    }),
  })
  const events = await sandbox.up(folder)
  const at = (name: string, look: (status: string, health: string | null) => boolean) =>
    events.findIndex(
      event =>
        event.event === 'service' && event.service.name === name && look(event.service.status, event.service.health),
    )
  t.ok(
    at('seed', status => status === 'running' || status === 'exited') > at('db', (_, health) => health === 'healthy'),
  )
})
