/** The shim's parsers under noise. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { compile, shimSources } from '../lib/shim.ts'

const here = dirname(fileURLToPath(import.meta.url))
const shim = resolve(here, '..', '..', '..', 'shim')

t.test('parsers take noise', async t => {
  const path = join(here, '..', '..', 'native', 'shim-fuzz')
  const corpus = readdirSync(join(shim, 'corpus')).map(name => join(shim, 'corpus', name))
  compile(
    path,
    ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-DFUZZ_ALONE'],
    shimSources('main.c'),
  )
  const noise = spawnSync(path, ['200000', ...corpus], { encoding: 'utf8' })
  t.match(noise, { status: 0, stderr: '' })
  const checked = spawnSync('valgrind', ['--version']).status === 0
  t.test('under valgrind', { skip: !checked && 'needs valgrind' }, async t => {
    compile(path, ['-O1', '-g', '-DFUZZ_ALONE'], shimSources('main.c'))
    const ran = spawnSync('valgrind', ['--quiet', '--error-exitcode=9', '--leak-check=full', path, '2000', ...corpus], {
      encoding: 'utf8',
    })
    t.match(ran, { status: 0, stderr: '' })
  })
})
