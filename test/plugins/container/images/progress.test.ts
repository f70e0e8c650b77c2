import t from 'tap'
import { PullCounter } from '../../../../plugins/container/images/progress.ts'

const count = (lines: readonly string[]) => {
  const counter = new PullCounter()
  return lines.flatMap(line => counter.push(line) ?? [])
}

t.test('podman without a terminal', async t => {
  const blobs = ['3da8a9f4d1f8', '8bbd4dcd5c1c'].map(id => `Copying blob sha256:${id.padEnd(64, '0')}`)
  const lines = ['Trying to pull localhost:5000/x:1...', 'Getting image source signatures', ...blobs]
  t.same(count([...lines, 'Copying config sha256:aaaaaaaaaaaa', 'Writing manifest to image destination']), [
    { done: 0, total: 1 },
    { done: 0, total: 2 },
    { done: 2, total: 2 },
  ])
})

t.test('docker without a terminal', async t => {
  const lines = ['7: Pulling from library/redis', 'aaaaaaaaaaaa: Pulling fs layer', 'bbbbbbbbbbbb: Already exists']
  t.same(count([...lines, 'aaaaaaaaaaaa: Verifying Checksum', 'aaaaaaaaaaaa: Pull complete', 'Digest: sha256:x']), [
    { done: 0, total: 1 },
    { done: 1, total: 2 },
    { done: 2, total: 2 },
  ])
})
