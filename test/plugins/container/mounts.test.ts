import { homedir } from 'node:os'
import t from 'tap'
import { parseMounts, requireSources } from '../../../plugins/container/mounts.ts'

const project = { name: 'shop', path: '/home/me/shop', domain: 'shop.localhost' }
const parse = (...entries: readonly string[]) => parseMounts(entries, project, 'web')

t.test('volumes, folders and own volumes are recognised', async t => {
  t.same(parse('data:/data', './conf:/etc/conf:ro', '/app/node_modules/', '~/x:/x', '/srv:/srv:ro,Z', '..:/up'), [
    { kind: 'volume', name: 'data', target: '/data', flags: [] },
    { kind: 'bind', source: '/home/me/shop/conf', target: '/etc/conf', flags: ['ro'] },
    { kind: 'own', target: '/app/node_modules' },
    { kind: 'bind', source: `${homedir()}/x`, target: '/x', flags: [] },
    { kind: 'bind', source: '/srv', target: '/srv', flags: ['ro', 'Z'] },
    { kind: 'bind', source: '/home/me', target: '/up', flags: [] },
  ])
})

t.test('flags that only made macOS faster are dropped', async t => {
  t.match(parse('.:/app:cached', '.:/b:delegated', '.:/c:ro,consistent'), [
    { flags: [] },
    { flags: [] },
    { flags: ['ro'] },
  ])
})

t.test('what is neither is refused by its name', async t => {
  for (const [entry, why] of [
    ['data', 'is no absolute path inside'],
    ['data:inside', 'has no absolute path inside'],
    ['a/b:/x', 'names neither a volume nor a folder'],
    ['./a:/b:rx', "has an unknown flag 'rx'"],
    ['a:/b:ro:z', 'has too many parts'],
  ] as const) {
    t.throws(() => parse(entry), {
      code: 'CONFIG_INVALID',
      message: `services.web.volumes: '${entry}' ${why}`,
      service: 'shop:web',
    })
  }
})

t.test('a folder that does not exist is an error before an engine makes it as root', async t => {
  const folder = t.testdir({ there: {} })
  const bind = (source: string) => [{ kind: 'bind', source, target: '/x', flags: [] } as const]
  await requireSources(bind(`${folder}/there`), 'shop:web')
  await t.rejects(requireSources(bind(`${folder}/missing`), 'shop:web'), {
    code: 'SERVICE_FAILED',
    message: /missing, which `volumes` mounts at \/x, does not exist/,
    hint: /^Run `mkdir -p /,
  })
})
