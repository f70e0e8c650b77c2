import t from 'tap'
import type { Run } from '../../../kernel/contract/plugin.ts'
import { createArgs } from '../../../plugins/container/create-args.ts'
import { hostPortsOf } from '../../../plugins/container/launch.ts'
import { Names } from '../../../plugins/container/names.ts'
import type { ContainerOptions } from '../../../plugins/container/options.ts'

const names = new Names('/data')
const project = { name: 'shop', path: '/home/me/shop', domain: 'shop.localhost' }
const least: ContainerOptions = {
  ...{ image: 'redis:7', ports: [], volumes: [], tmpfs: [], labels: {}, init: true, pull: 'missing' },
  protocol: 'http',
}
const sink = { file: '', maxBytes: 0, maxFiles: 0, write() {}, append: () => true, lastEntry: async () => undefined }

function runOf(options: Partial<ContainerOptions>, more: Partial<Run<ContainerOptions>> = {}): Run<ContainerOptions> {
  return {
    ...{ project, name: 'cache', key: 'shop:cache', options: Object.assign({}, least, options) },
    ...{
      port: undefined,
      isRequested: false,
      hasWrittenPort: false,
      ports: {},
      hostPorts: [],
      env: {},
      dir: project.path,
      workdir: undefined,
      data: '/data/x',
    },
    ...{ stopSignal: 'SIGTERM', stopTimeout: 5000, signal: new AbortController().signal, step() {} },
    log: { ...sink, changed() {}, onFollowed: () => () => {} },
    ...more,
  }
}

const args = (options: Partial<ContainerOptions>, more: Partial<Run<ContainerOptions>> = {}) =>
  createArgs(runOf(options, more), { names, image: 'redis:7', volumes: [], keepFlags: [], hostFlags: [] })

/** The values of a flag. */
const valuesOf = (words: readonly string[], flag: string) =>
  words.flatMap((word, index) => (words[index - 1] === flag ? [word] : []))

t.test('a container is detached, named, on the network of its project, with an init', async t => {
  const words = args({})
  t.same(words.slice(0, 6), ['run', '--detach', '--pull', 'never', '--name', `locald-shop-cache-${names.owner}`])
  t.same(valuesOf(words, '--network'), [`locald-shop-${names.owner}`])
  t.same(valuesOf(words, '--network-alias'), ['cache'])
  t.ok(words.includes('--init'))
  t.same(valuesOf(words, '--stop-signal'), ['SIGTERM'])
  t.equal(words.at(-1), 'redis:7')
  t.notOk(args({ init: false }).includes('--init'))
})

t.test('ports are published on 127.0.0.1 only', async t => {
  const words = args(
    { container_port: 6379, ports: ['9001', '9002'] },
    { port: 20_001, ports: { 9001: 20_002, 9002: 20_003 } },
  )
  t.same(valuesOf(words, '--publish'), ['127.0.0.1:20001:6379', '127.0.0.1:20002:9001', '127.0.0.1:20003:9002'])
})

t.test('an entrypoint of several words is the program, then arguments before the command', async t => {
  const words = args({ entrypoint: ['tini', '--'], command: 'redis-server --save ""' })
  t.same(valuesOf(words, '--entrypoint'), ['tini'])
  t.same(words.slice(words.indexOf('redis:7')), ['redis:7', '--', 'redis-server', '--save', ''])
})

t.test('each key has its flag', async t => {
  const options = {
    user: 'node',
    memory: '512m',
    cpus: 1.5,
    shm_size: '64m',
    tmpfs: ['/tmp', '/run'],
    labels: { a: 'b' },
  }
  const words = args(options, { workdir: '/app', stopSignal: 'SIGINT' })
  t.same(valuesOf(words, '--user'), ['node'])
  t.same(valuesOf(words, '--memory'), ['512m'])
  t.same(valuesOf(words, '--cpus'), ['1.5'])
  t.same(valuesOf(words, '--shm-size'), ['64m'])
  t.same(valuesOf(words, '--tmpfs'), ['/tmp', '/run'])
  t.same(valuesOf(words, '--workdir'), ['/app'])
  t.same(valuesOf(words, '--stop-signal'), ['SIGINT'])
  t.ok(valuesOf(words, '--label').includes('a=b'))
})

t.test("a label of the user's does not replace one of ours", async t => {
  t.notOk(valuesOf(args({ labels: { 'dev.locald.owner': 'x' } }), '--label').includes('dev.locald.owner=x'))
})

t.test('volumes, the log and the way to this machine are passed on', async t => {
  const mount = { kind: 'bind', source: '/srv', target: '/x', flags: ['ro', 'Z'] } as const
  const own = { kind: 'own', target: '/data' } as const
  const words = createArgs(runOf({}), {
    ...{
      names,
      image: 'redis:7',
      keepFlags: ['--log-opt', 'path=/data/container.log'],
      hostFlags: ['--add-host', 'a:b'],
    },
    volumes: [
      { mount, source: '/srv' },
      { mount: own, source: 'volume-1' },
    ],
  })
  t.same(valuesOf(words, '--volume'), ['/srv:/x:ro,Z', 'volume-1:/data'])
  t.same(valuesOf(words, '--log-opt'), ['path=/data/container.log'])
  t.same(valuesOf(words, '--add-host'), ['a:b'])
})

t.test('a container may reach the ports of its references, and those that it names', async t => {
  const env = { API: 'http://host.docker.internal:4000/x', BOTH: 'host.docker.internal:5000,host.docker.internal:4000' }
  t.same(
    hostPortsOf(runOf({ command: ['curl', 'http://host.docker.internal:80/'] }, { env, hostPorts: [3000] })),
    [80, 3000, 4000, 5000],
  )
  t.same(hostPortsOf(runOf({})), [])
})
