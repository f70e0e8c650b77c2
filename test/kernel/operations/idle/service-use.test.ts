import t from 'tap'
import { ServiceUse } from '../../../../kernel/operations/idle/service-use.ts'
import { guestType } from '../../../lib/guest.ts'
import { serviceOf, TestKernel } from '../../projects/harness.ts'

t.test('a process uses services until it exits, and not by another that gets its pid', async t => {
  const kernel = new TestKernel(t, [guestType()])
  const toml = '[project]\nname = "shop"\n[services.cache]\ntype = "guest"\n[services.other]\ntype = "guest"\n'
  const project = await kernel.project(t.testdir({ 'locald.toml': toml }))
  const [cache, other] = [serviceOf(project, 'cache'), serviceOf(project, 'other')]
  const starts = new Map([[7, 'a']])
  const use = new ServiceUse({
    traffic: () => undefined,
    table: () => ({ start: async pid => starts.get(pid) }),
    runs: () => [],
    foreign: () => ({ dependentsOf: () => [] }),
  })
  const isUsed = async () => {
    for (const service of [cache, other]) service.usedMs = 0
    await use.look([cache, other])
    return [cache, other].map(({ usedMs }) => usedMs > 0)
  }
  await use.add([cache], 99)
  t.strictSame(await isUsed(), [false, false], 'one that has exited')
  await use.add([cache], 7)
  t.strictSame(await isUsed(), [true, false])
  starts.set(8, 'b')
  await use.add([cache, other], 8)
  starts.delete(7)
  t.strictSame(await isUsed(), [true, true], 'another one goes on')
  starts.set(8, 'c')
  t.strictSame(await isUsed(), [false, false], 'the pid is that of another process')
  await use.add([cache], 8)
  t.strictSame(await isUsed(), [true, false])
})
