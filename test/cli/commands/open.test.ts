import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FakeDaemon, json } from '../fake-daemon.ts'

t.test('prints the URL and runs the browser where there is one', async t => {
  const daemon = await FakeDaemon.start(t)
  const url = 'https://shop.localhost'
  const opened = join(daemon.home, 'opened')
  daemon.on(
    'GET /v1/services/open',
    json({ url, argv: ['sh', '-c', 'echo "$0" > "$1".part && mv "$1".part "$1"', url, opened] }),
  )
  t.match(await daemon.run(['open']), { code: 0, stdout: `${url}\n`, stderr: '' })
  t.equal(daemon.last('/v1/services/open').query.has('service'), false)
  const limit = Date.now() + 10_000
  while (!readdirSync(daemon.home).includes('opened') && Date.now() < limit)
    await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(readFileSync(opened, 'utf8'), `${url}\n`)
  daemon.on('GET /v1/services/open', json({ url, argv: null, hint: 'There is no display.' }))
  t.match(await daemon.run(['open', 'web']), { code: 0, stdout: `${url}\n`, stderr: 'Hint: There is no display.\n' })
  daemon.on('GET /v1/services/open', json({ url, argv: ['/none/xdg-open', url] }))
  t.match(await daemon.run(['open', 'web']), { code: 1, stdout: `${url}\n`, stderr: /\[SPAWN_FAILED\]/ })
})
