import t from 'tap'
import { parseFacts } from '../../../../plugins/container/images/facts.ts'

const parse = (config: object) => parseFacts({ stdout: JSON.stringify([{ Id: 'sha256:abc', Config: config }]) })

t.test('an image says its id, volumes and health check', async t => {
  t.same(
    parse({
      Volumes: { '/data': {}, '/a': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 2e9, Timeout: 1e9 },
    }),
    {
      ...{ id: 'abc', volumes: ['/a', '/data'] },
      healthcheck: { test: ['CMD-SHELL', 'true'], interval: 2000, timeout: 1000 },
    },
  )
})

t.test('the engines have defaults, and NONE is no check', async t => {
  t.match(parse({ Healthcheck: { Test: ['CMD', 'a', 'b'] } }), {
    healthcheck: { test: ['CMD', 'a', 'b'], interval: 30_000, timeout: 30_000 },
  })
  for (const check of [{ Test: ['NONE'] }, { Test: [] }, { Test: ['CMD'] }, null])
    t.equal(parse({ Healthcheck: check })?.healthcheck, undefined)
  t.equal(parseFacts({ stdout: '[]' }), undefined)
})
