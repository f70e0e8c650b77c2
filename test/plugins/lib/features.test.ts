import t from 'tap'
import type { FeatureState } from '../../../kernel/contract/plugin.ts'
import { featureCheck } from '../../../plugins/lib/features.ts'

const off: FeatureState = { on: false, reason: 'no helper', hint: 'Run `x`.' }
const display = { name: 'shim', title: 'Privileged helper' } as const

t.test('a feature that is off warns with its reason and hint', async t => {
  const check = featureCheck({ has: () => false }, display, off, async () => off)
  t.equal(check.id, 'shim')
  t.match(await check.run(), { status: 'warn', severity: 'optional', summary: /no helper/, fix: 'Run `x`.' })
})

t.test('a feature that was fixed since the daemon started passes', async t => {
  let state = off
  const check = featureCheck({ has: () => false }, display, off, async () => state)
  t.match(await check.run(), { status: 'warn' })
  state = { on: true }
  t.match(await check.run(), { status: 'pass', summary: 'Privileged helper: available' })
})

t.test('a feature that another plugin turned on passes without a probe', async t => {
  let probes = 0
  const check = featureCheck({ has: () => true }, display, off, async () => {
    probes += 1
    return off
  })
  t.match(await check.run(), { status: 'pass' })
  t.equal(probes, 0)
})

t.test('a feature that nothing can turn on is skipped without a fix', async t => {
  const check = featureCheck({ has: () => false }, { ...display, off: 'skip' }, off, async () => off)
  t.strictSame(await check.run(), { status: 'skip', severity: 'optional', summary: 'Privileged helper: no helper' })
})
