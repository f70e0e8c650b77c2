import t from 'tap'
import { diskUseOf, parseSize, parseVolumeSizes } from '../../../../plugins/container/calls/disk-use.ts'
import { Names } from '../../../../plugins/container/names.ts'
import { fakeEngine } from '../fake-engine.ts'

const podman = `Images space usage:

REPOSITORY                     TAG         IMAGE ID      CREATED     SIZE        SHARED SIZE  UNIQUE SIZE  CONTAINERS
localhost/locald-tests/busybox  latest      aaaaaaaaaaaa  2 weeks     3.1MB       0B           3.1MB        1

Local Volumes space usage:

VOLUME NAME                LINKS       SIZE
locald-shop-content-aaaaaa  1           1.234GB
of-someone-else             0           0B
`

t.test('the volumes of an engine are the rows of their table', async t => {
  t.strictSame(
    [...parseVolumeSizes(podman)],
    [
      ['locald-shop-content-aaaaaa', 1_234_000_000],
      ['of-someone-else', 0],
    ],
  )
  const docker = 'VOLUME NAME   LINKS     SIZE\nmy-vol        2         12.5kB\n\nBuild cache usage: 0B\n'
  t.strictSame([...parseVolumeSizes(docker)], [['my-vol', 12_500]])
  t.strictSame([...parseVolumeSizes('no table\n')], [])
})

t.test('sizes are decimal, or binary with an i', async t => {
  const sizes = ['0B', '12B', '1.5kB', '4.59 MB', '3.1 MiB', '2GB', '1.2e+03MB', '', 'many', '-1B']
  const bytes = [0, 12, 1500, 4_590_000, 3_250_586, 2_000_000_000, 1_200_000_000, undefined, undefined, undefined]
  t.strictSame(sizes.map(parseSize), bytes)
})

t.test('lists what is of this daemon, with its project and service', async t => {
  const names = new Names('/d')
  const { owner } = names
  const labels = { 'dev.locald.owner': owner, 'dev.locald.project': 'shop' }
  const answers = {
    ps: JSON.stringify([
      { Id: 'a', Names: ['a'], Image: 'docker.io/library/redis:7', State: 'running', Labels: labels },
    ]),
    images: `docker.io/library/redis:7\t4.59 MB\nlocalhost/locald-${owner}/shop/web:latest\t2 MB\nlocalhost/locald-ffffff/shop/web:latest\t9 MB\nalpine:3\t5 MB\n`,
    volume: JSON.stringify([
      { Name: 'content', Labels: labels },
      { Name: 'own', Labels: { ...labels, 'dev.locald.service': 'db' } },
    ]),
    system: 'VOLUME NAME LINKS SIZE\ncontent 1 10B\nown 1 20B\nother 0 30B\n',
  }
  const script = `process.stdout.write(${JSON.stringify(answers)}[process.argv[1]])`
  const engine = fakeEngine([process.execPath, '-e', script])
  const { signal } = new AbortController()
  const listed = await diskUseOf(engine, names, signal)
  const items = listed.map(part => ('remove' in part ? { ...part, remove: typeof part.remove } : part))
  t.strictSame(items, [
    { what: 'podman image', name: 'docker.io/library/redis:7', bytes: 4_590_000 },
    {
      ...{ what: 'podman image', name: `localhost/locald-${owner}/shop/web:latest`, bytes: 2_000_000 },
      ...{ project: 'shop', service: 'web' },
    },
    { what: 'podman volume', name: 'content', bytes: 10, project: 'shop', remove: 'function' },
    { what: 'podman volume', name: 'own', bytes: 20, project: 'shop', service: 'db', remove: 'function' },
  ])
  t.strictSame(await diskUseOf({ ...engine, dialect: 'nerdctl' }, names, signal), [], 'its VM is counted as a whole')
})
