import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CliEngine } from '../../../../plugins/container/engines/cli-engine.ts'
import { EnvFiles } from '../../../../plugins/container/engines/env-files.ts'
import { until } from '../../../lib/running.ts'

const engineOf = (files: EnvFiles) =>
  new CliEngine(
    {
      ...{ name: 'podman', dialect: 'podman', version: '1', program: '/bin/podman' },
      env: { PATH: '/bin', HOME: '/home/own' },
      hostName: undefined,
      isNative: true,
      shares: async () => true,
    },
    files,
  )

t.test('no value of a variable is in argv, and line breaks stay', async t => {
  const engine = engineOf(new EnvFiles(join(t.testdir(), 'env')))
  const key = 'line 1\nline "2" $HOME\n'
  const { argv, env } = engine.command(['run', '-d', 'image'], { variables: { KEY: key, EMPTY: '' } })
  t.same(argv, ['/bin/podman', 'run', '-e', 'KEY', '-e', 'EMPTY', '-d', 'image'])
  t.same(env, { PATH: '/bin', HOME: '/home/own', KEY: key, EMPTY: '' })
})

t.test('a command without variables is run as it is', async t => {
  const { argv, env } = engineOf(new EnvFiles(join(t.testdir(), 'env'))).command(['ps', '-a'])
  t.same(argv, ['/bin/podman', 'ps', '-a'])
  t.same(env, { PATH: '/bin', HOME: '/home/own' })
})

t.test('variables that would steer the CLI go through a file of this user only, which is deleted', async t => {
  const folder = join(t.testdir(), 'env')
  const files = new EnvFiles(folder, 50)
  const variables = { PATH: '/in/container', DOCKER_HOST: 'tcp://x', https_proxy: 'http://u:secret@p', KEY: 'k' }
  const { argv, env } = engineOf(files).command(['create', 'image'], { variables })
  t.same(env, { PATH: '/bin', HOME: '/home/own', KEY: 'k' })
  const file = argv[5] ?? ''
  t.same(argv, ['/bin/podman', 'create', '-e', 'KEY', '--env-file', file, 'image'])
  t.equal(readFileSync(file, 'utf8'), 'PATH=/in/container\nDOCKER_HOST=tcp://x\nhttps_proxy=http://u:secret@p\n')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  await until('the file to be deleted', () => !existsSync(file))
  files.write({ PATH: '/left/behind' })
  new EnvFiles(folder).clear()
  t.notOk(existsSync(folder), 'the next daemon deletes what a killed one left behind')
})

t.test('a line break in such a variable is refused by name, without its value', async t => {
  const engine = engineOf(new EnvFiles(join(t.testdir(), 'env')))
  const run = () => engine.command(['run', 'image'], { variables: { HTTP_PROXY: 'secret\nX=1' } })
  t.throws(run, { code: 'CONFIG_INVALID', message: "variable 'HTTP_PROXY' has a line break" })
})
