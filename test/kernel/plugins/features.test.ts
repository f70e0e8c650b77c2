import t from 'tap'
import { Features } from '../../../kernel/plugins/features.ts'

t.test('features', async t => {
  const features = new Features()
  t.strictSame(features.all(), [])
  t.match(
    features.get('vm'),
    { on: false, reason: "no plugin registers the feature 'vm'", hint: /plugins list/, by: 'kernel' },
    'one that no plugin registered is off',
  )
  features.set('containers', { on: false, reason: 'Lima is not installed', hint: 'Install it.' }, 'platform')
  features.set('vm', { on: true }, 'platform')
  t.strictSame(features.get('containers'), {
    name: 'containers',
    on: false,
    reason: 'Lima is not installed',
    hint: 'Install it.',
    by: 'platform',
  })
  t.strictSame([features.has('containers'), features.has('vm'), features.has('shim')], [false, true, false])
  const restore = features.snapshot()
  features.set('containers', { on: true }, 'lima')
  features.set('shim', { on: true }, 'lima')
  t.strictSame(
    features.get('containers'),
    { name: 'containers', on: true, by: 'lima' },
    'refined: no reason is left over',
  )
  t.strictSame([features.by('lima'), features.by('platform')], [['containers', 'shim'], ['vm']])
  restore()
  t.equal(features.get('containers').by, 'platform')
  t.equal(features.get('shim').by, 'kernel')
  t.strictSame(features.by('platform'), ['vm'], 'only what it turned on')
  features.set('gpu:cuda', { on: false, reason: 'there is no driver', title: 'CUDA' }, 'locald-plugin-gpu')
  features.set('gpu:cuda', { on: true }, 'other')
  t.equal(features.get('gpu:cuda').title, 'CUDA', 'a refined flag keeps its title')
  t.equal(features.get('gpu:cude').hint, "Did you mean 'gpu:cuda'?")
})

t.test('a flag that is a function is read each time', async t => {
  const features = new Features()
  let state: unknown = { on: false, reason: 'no engine answers' }
  features.set('containers', { on: false, reason: 'not loaded', title: 'Containers' }, 'platform')
  features.set('containers', () => JSON.parse(JSON.stringify(state)), 'container')
  t.match(features.get('containers'), {
    ...{ on: false, reason: 'no engine answers', by: 'container' },
    title: 'Containers',
  })
  state = { on: true, title: 'Container engine' }
  t.match(features.get('containers'), { on: true, title: 'Container engine' })
  t.strictSame(features.by('container'), ['containers'])
  t.match(features.all(), [{ on: true }])
  let reads = 0
  features.set('vm:engine', () => ({ on: reads++ >= 0 }), 'vm')
  t.strictSame([features.by('platform'), features.by('container')], [[], ['containers']])
  t.equal(reads, 0, 'for the flags of one plugin those of others are not read')
  state = { on: false }
  t.match(
    features.get('containers'),
    { on: false, reason: "reading it failed: feature 'containers' is off without a reason" },
    'a state without a reason',
  )
  features.set(
    'vm',
    () => {
      throw new Error('no answer')
    },
    'container',
  )
  t.match(features.get('vm'), { on: false, reason: 'reading it failed: no answer' })
})
