import t from 'tap'
import { setAwakeTimeout } from '../../../plugins/exec-runtime/awake-timer.ts'
import { until } from '../../lib/running.ts'
import './harness.ts'

t.test('does not count time in which the machine slept', async t => {
  let calls = 0
  const takeBack = setAwakeTimeout(400, () => calls++, 50)
  await new Promise(wake => setTimeout(wake, 60))
  // Nothing runs meanwhile, as in a machine's sleep; the clock goes on.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
  await new Promise(wake => setTimeout(wake, 100))
  t.equal(calls, 0, 'not at the wake-up')
  await until('the call', () => calls > 0)
  t.equal(calls, 1)
  takeBack()
  const second = setAwakeTimeout(60, () => calls++, 20)
  await new Promise(wake => setTimeout(wake, 30))
  second()
  await new Promise(wake => setTimeout(wake, 100))
  t.equal(calls, 1, 'one that was taken back does not come')
})
