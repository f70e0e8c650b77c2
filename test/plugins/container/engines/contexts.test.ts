import { createHash } from 'node:crypto'
import t from 'tap'
import { findDockerTarget } from '../../../../plugins/container/engines/contexts.ts'
import { describeEndpoint, isLocal, parseEndpoint } from '../../../../plugins/container/engines/endpoint.ts'
import { machineOf } from './machine.ts'

const id = (name: string) => createHash('sha256').update(name).digest('hex')

const docker = (current: string, host: string) => ({
  '.docker': {
    'config.json': JSON.stringify({ auths: {}, currentContext: current }),
    contexts: {
      meta: {
        [id(current)]: { 'meta.json': JSON.stringify({ Name: current, Endpoints: { docker: { Host: host } } }) },
      },
    },
  },
})

t.test('endpoints of this machine are local, all others are not', async t => {
  for (const text of [
    'unix:///run/x.sock',
    '/run/x.sock',
    'tcp://127.0.0.1:2375',
    'tcp://localhost:2375',
    'tcp://[::1]:1',
  ]) {
    t.ok(isLocal(parseEndpoint(text)), text)
  }
  t.ok(isLocal(parseEndpoint('ssh://core@127.0.0.1:51000/run/podman.sock')), 'a VM of podman')
  for (const text of [
    'ssh://me@build',
    'tcp://10.0.0.2:2375',
    'build:2375',
    'tcp://127.0.0.1.example.com',
    'ssh://a@b/c',
  ]) {
    t.notOk(isLocal(parseEndpoint(text)), text)
  }
  t.equal(describeEndpoint(parseEndpoint('ssh://me:secret@build:22')), 'ssh://me:…@build:22')
})

t.test('DOCKER_HOST precedes DOCKER_CONTEXT, which precedes the current context', async t => {
  const home = t.testdir(docker('colima', 'unix:///home/me/.colima/default/docker.sock'))
  const found = (env: Record<string, string>) => findDockerTarget(machineOf({ home, env }))
  t.match(await found({}), {
    context: 'colima',
    namedBy: 'context',
    endpoint: { socket: '/home/me/.colima/default/docker.sock' },
  })
  t.match(await found({ DOCKER_HOST: 'ssh://me@build' }), { namedBy: 'DOCKER_HOST', endpoint: { host: 'build' } })
  t.match(await found({ DOCKER_CONTEXT: 'default' }), { endpoint: { socket: '/var/run/docker.sock' } })
  t.same(await found({ DOCKER_CONTEXT: 'nope' }), { missing: 'nope', namedBy: 'DOCKER_CONTEXT' })
  t.match(await found({ DOCKER_CONFIG: `${t.testdirName}/none` }), { namedBy: undefined, context: undefined })
})

t.test("a configuration that cannot be read means docker's default", async t => {
  const home = t.testdir({ '.docker': { 'config.json': '{ "currentContext": ' } })
  t.match(await findDockerTarget(machineOf({ home })), {
    namedBy: undefined,
    endpoint: { socket: '/var/run/docker.sock' },
  })
})
