import t from 'tap'
import type { GraphAnswer } from '../../kernel/protocol.ts'
import { graphProject } from '../lib/graph-project.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { askDaemon } from '../lib/web.ts'

t.test('the graph has dependencies and the times of the last start', async t => {
  const sandbox = new Sandbox(t)
  const path = sandbox.project('shop', graphProject)
  const before = new Date().toISOString()
  await sandbox.ok(['up', 'web'], { cwd: path })
  const { socket } = await sandbox.server()
  const ask = async (): Promise<GraphAnswer> =>
    JSON.parse((await askDaemon(socket, `/v1/projects/graph?${new URLSearchParams({ path })}`)).body)
  const graph = await ask()
  t.match(graph, { project: 'shop', path })
  const of = new Map(graph.services.map(service => [service.key, service]))
  t.strictSame([...(of.get('shop:api')?.dependsOn ?? [])].sort(), ['shop:db', 'shop:seed'])
  t.strictSame(of.get('shop:seed')?.dependsOn, ['shop:db'])
  t.strictSame(of.get('shop:alone'), { key: 'shop:alone', dependsOn: [], start: null })
  const points = ['db', 'seed', 'api'].map(name => of.get(`shop:${name}`)?.start)
  for (const start of points) {
    const { beganAt = '', startedAt, readyAt } = start ?? {}
    const times = [before, beganAt, startedAt ?? '', readyAt ?? '', new Date().toISOString()]
    t.strictSame(times, [...times].sort(), 'in this order')
  }
  t.ok((points[1]?.readyAt ?? '') <= (points[2]?.startedAt ?? ''), 'api was started after the exit of seed')
  await sandbox.ok(['server', 'restart'])
  t.strictSame(
    (await ask()).services.map(({ start }) => start),
    [null, null, null, null, null],
    'an earlier daemon began them',
  )
})
