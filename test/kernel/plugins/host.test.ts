import t from 'tap'
import { plugin, testLoader } from '../../lib/plugin-loader.ts'

t.test('a status or a list of warnings that throws leaves those of other plugins', async t => {
  const kernel = testLoader()
  await kernel.load(
    plugin('broken', host => {
      host.status(() => {
        throw new Error('no status')
      })
      host.warnings(() => {
        throw new Error('no list')
      })
    }),
    plugin('whole', host => {
      host.status(() => ({ http: 80 }))
      host.warnings(() => [{ message: 'slow', hint: 'Wait.' }])
    }),
  )
  t.strictSame(kernel.contributions.status(), { http: 80 })
  t.strictSame(kernel.contributions.warnings(), [{ message: 'slow', hint: 'Wait.' }])
  t.match(kernel.logged.join('\n'), /broken: status\(\) failed: no status\nbroken: warnings\(\) failed: no list$/)
})
