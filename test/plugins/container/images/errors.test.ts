import t from 'tap'
import { pullError, registryOf } from '../../../../plugins/container/images/errors.ts'
import { isShortName, onDockerHub } from '../../../../plugins/container/images/short-name.ts'
import { fakeEngine } from '../fake-engine.ts'

const error = (said: string, image = 'localhost:5000/shop:2') => pullError(fakeEngine(['podman']), image, said)

t.test('each cause has its words and its hint', async t => {
  t.match(error('reading manifest 2 in localhost:5000/shop: manifest unknown: manifest unknown'), {
    code: 'IMAGE_FAILED',
    message: /^image localhost:5000\/shop:2 could not be pulled: the registry has no tag '2' of it \(reading/,
  })
  t.match(error('unauthorized: authentication required'), { hint: /`podman login localhost:5000`/ })
  t.match(error('pinging container registry localhost:5000: dial tcp 127.0.0.1:5000: connect: connection refused'), {
    message: /the registry localhost:5000 cannot be reached/,
  })
  t.match(error('writing blob: no space left on device'), { message: /the disk is full/ })
  t.match(error('copying blob: unexpected EOF'), { message: /broke the transfer off/, hint: /what was transferred/ })
  t.match(error('http: server gave HTTP response to HTTPS client'), { message: /no certificate/ })
  t.match(error('a new kind'), {
    message: /the engine failed \(a new kind\)/,
    hint: /`podman pull localhost:5000\/shop:2`/,
  })
})

t.test('the registry is found as engines find it', async t => {
  t.same(['redis', 'redis:7', 'bitnami/redis', 'localhost/x', 'ghcr.io/a/b:1', 'host:5000/x'].map(registryOf), [
    ...['docker.io', 'docker.io', 'docker.io', 'localhost', 'ghcr.io', 'host:5000'],
  ])
  t.match(error('manifest unknown', 'redis').message, /no tag 'latest'/)
  t.match(error('manifest unknown', 'redis@sha256:ab').message, /no digest sha256:ab/)
})

t.test('a name without a registry is one of Docker Hub', async t => {
  t.same(['redis:7', 'bitnami/redis', 'redis@sha256:ab'].map(onDockerHub), [
    ...['docker.io/library/redis:7', 'docker.io/bitnami/redis', 'docker.io/library/redis@sha256:ab'],
  ])
  t.same(['redis:7', 'bitnami/redis', 'localhost/x', 'ghcr.io/a/b:1', 'host:5000/x'].map(isShortName), [
    ...[true, true, false, false, false],
  ])
})
