import { join } from 'node:path'
import t from 'tap'
import { tryOut } from '../../../../plugins/container/checks/trial.ts'
import { noContainers } from '../../../lib/containers.ts'
import { root } from '../../../lib/user.ts'
import { privatePodman } from '../engines/private-podman.ts'

const native = join(root, 'build', 'native')
const labels = { 'dev.locald.owner': 'abcdef', 'dev.locald.kind': 'one-off' }

t.test('an image is built, run and checked, and nothing is left', { skip: noContainers }, async t => {
  const podman = await privatePodman(t)
  const folder = t.testdir()
  const result = await tryOut({ engine: podman.engine, native, folder, labels, limit: 60_000 })
  t.match(result, { status: 'pass', summary: /^Trial of podman: built, ran and checked a container in \d/ })
  t.equal(await podman.ask('ps', '--all', '--quiet'), '')
  t.equal(await podman.ask('images', '--all', '--quiet'), '')
})

t.test('an engine that cannot run a container fails with its words', { skip: noContainers }, async t => {
  const podman = await privatePodman(t, { runtime: '/bin/false' })
  const result = await tryOut({ engine: podman.engine, native, folder: t.testdir(), labels, limit: 60_000 })
  t.match(result, { status: 'warn', summary: /^Trial of podman: (?:build|run): `podman (?:build|run)` failed: ./ })
  t.equal(await podman.ask('ps', '--all', '--quiet'), '')
})

t.test('a trial that takes too long is stopped', { skip: noContainers }, async t => {
  const podman = await privatePodman(t)
  const result = await tryOut({ engine: podman.engine, native, folder: t.testdir(), labels, limit: 1 })
  t.match(result, { status: 'warn', summary: 'Trial of podman: build: not finished within 0.001 s' })
})

t.test('without programs for containers there is no trial', async t => {
  const podman = await privatePodman(t)
  const result = await tryOut({ engine: podman.engine, native: t.testdir(), folder: t.testdir(), labels, limit: 1 })
  t.match(result, { status: 'skip' })
})
