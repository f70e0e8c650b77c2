import t from 'tap'
import { parseEvent } from '../../../../plugins/container/calls/event-lines.ts'

const id = 'b72105e280f2f6c1fa7362902aaabb12c2a3a907b07272f0439776d562bd0a79'

t.test('events of podman 4.3.1, as it printed them', async t => {
  const line = (fields: object) =>
    JSON.stringify({ ID: id, Image: 'localhost/bb:1', Name: 'e1', Type: 'container', ...fields })
  t.same(parseEvent(line({ Status: 'died', ContainerExitCode: 137 })), { id, event: { kind: 'died', code: 137 } })
  t.same(parseEvent(line({ Status: 'died' })), { id, event: { kind: 'died', code: 0 } }, 'it leaves out a zero')
  t.same(parseEvent(line({ Status: 'remove' })), { id, event: { kind: 'removed' } })
  t.equal(parseEvent(line({ Status: 'cleanup' })), undefined)
})

t.test('events of docker (docs.docker.com/reference/api/engine, events)', async t => {
  const line = (Action: string, Attributes: object) =>
    JSON.stringify({ status: Action, id, Type: 'container', Action, Actor: { ID: id, Attributes } })
  t.same(parseEvent(line('die', { exitCode: '1', name: 'x' })), { id, event: { kind: 'died', code: 1 } })
  t.same(parseEvent(line('die', {})), { id, event: { kind: 'died', code: null } })
  t.same(parseEvent(line('destroy', {})), { id, event: { kind: 'removed' } })
  t.same(parseEvent(line('oom', {})), { id, event: { kind: 'out-of-memory' } })
  t.equal(parseEvent(line('exec_start: sh', {})), undefined)
})

t.test('what is no event is ignored', async t => {
  for (const line of ['', 'null', '[]', '{', '{"Status":"died"}', 'Error: x'])
    t.equal(parseEvent(line), undefined, line)
})
