import t from 'tap'
import { exitOf } from '../../../../plugins/container/instance/exit.ts'
import { isContainerState } from '../../../../plugins/container/instance/state.ts'

t.test('a code above 128 is a signal, where there is one of that number', async t => {
  t.same(exitOf(0), { code: 0, signal: null })
  t.same(exitOf(1), { code: 1, signal: null })
  t.same(exitOf(143), { code: null, signal: 'SIGTERM' })
  t.same(exitOf(137), { code: null, signal: 'SIGKILL' })
  t.same(exitOf(255), { code: 255, signal: null })
  t.same(exitOf(null), { code: null, signal: null })
})

t.test('a state of another type is not taken for ours', async t => {
  const state = { container: 'a', name: 'b', engine: 'podman', startedMs: 1 }
  t.ok(isContainerState(state))
  t.ok(isContainerState({ ...state, logFile: '/x' }))
  for (const other of [null, {}, { ...state, engine: 1 }, { socket: 'x', exitFile: 'y', tree: {} }])
    t.notOk(isContainerState(other))
})
