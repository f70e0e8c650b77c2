import t from 'tap'
import { parseContainers } from '../../../../plugins/container/calls/containers.ts'

t.test('the list of podman is an array', async t => {
  const row = { Id: 'a1', Names: ['locald-shop-db-aaaaaa'], Image: 'redis:7', State: 'running', Labels: { a: 'b,c=d' } }
  t.match(parseContainers(JSON.stringify([row, { ...row, Id: 'a2', State: 'exited', Labels: null }])), [
    { id: 'a1', name: 'locald-shop-db-aaaaaa', image: 'redis:7', isRunning: true, labels: { a: 'b,c=d' } },
    { id: 'a2', isRunning: false, state: 'exited', labels: {} },
  ])
  t.same(parseContainers('[]\n'), [])
})

t.test('the list of docker is a line for each', async t => {
  const row = { ID: 'a1', Names: 'x', Image: 'redis:7', State: 'running', Labels: 'dev.locald.owner=aaaaaa,b=c, d' }
  t.match(parseContainers(`${JSON.stringify(row)}\n${JSON.stringify({ ...row, ID: 'a2', State: 'paused' })}\n`), [
    { id: 'a1', name: 'x', isRunning: true, labels: { 'dev.locald.owner': 'aaaaaa', b: 'c, d' } },
    { id: 'a2', isRunning: true },
  ])
  t.same(parseContainers(''), [])
})
