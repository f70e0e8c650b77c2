/** The shim's parsers under noise, and its calls of macOS against a fake of them. */
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { certificate } from './certificates.ts'
import { compile, Installed, shimSources, unable } from './installed.ts'

const here = dirname(fileURLToPath(import.meta.url))
const shim = resolve(here, '..', '..', '..', 'shim')
const test = resolve(here, '..', '..', '..', 'test', 'shim')

t.test('parsers take noise', async t => {
  const path = join(here, '..', '..', 'native', 'shim-fuzz')
  const corpus = readdirSync(join(shim, 'shim', 'corpus')).map(name => join(shim, 'shim', 'corpus', name))
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

t.test('the keychain of macOS', { skip: unable }, async t => {
  const it = new Installed({ sanitized: true })
  t.teardown(() => it.remove())
  const fail = join(it.root, 'fail')
  const flags = [
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-DSHIM_FAKE_KEYCHAIN',
    `-I${join(shim, 'apple')}`,
    `-DSHIM_ROOT="${it.root}"`,
    `-DFAIL_FILE="${fail}"`,
  ]
  compile(it.shim, flags, [...shimSources('fuzz.c'), join(test, 'keychain.c')])
  chmodSync(it.shim, 0o4755)
  const pem = certificate()
  const lines = (words: readonly string[]) => {
    const { code, output, errors } = it.run(words, { input: pem })
    return [
      code,
      ...output
        .trim()
        .split('\n')
        .map(line => line.replace(/ of \d+/, '')),
      errors.trim(),
    ]
  }
  const steps = ['SecCertificateCreateWithData 30 0', 'SecKeychainOpen /Library/Keychains/System.keychain 0']
  const settings = ['setting kSecTrustSettingsPolicy ssl servers', 'setting kSecTrustSettingsResult number 3 1']
  const set = 'SecTrustSettingsSetTrustSettings admin'
  const add = 'SecCertificateAddToKeychain certificate'
  t.strictSame(lines(['trust']), [0, ...steps, `${add} 0`, ...settings, `${set} 0`, ''])
  t.strictSame(lines(['untrust']), [0, steps[0], 'SecTrustSettingsRemoveTrustSettings admin 0', ''])
  const cases: [string, string, string, number, RegExp][] = [
    ['trust', 'SecCertificateCreateWithData', '-1', 42, /macOS cannot read the certificate/],
    ['trust', 'SecKeychainOpen', '-25294', 42, /system keychain cannot be opened: -25294/],
    ['trust', 'SecCertificateAddToKeychain', '-61', 42, /cannot be added: -61/],
    ['trust', 'SecCertificateAddToKeychain', '-25299', 0, /^$/],
    ['trust', 'SecTrustSettingsSetTrustSettings', '-60006', 42, /cannot be trusted: -60006/],
    ['untrust', 'SecTrustSettingsRemoveTrustSettings', '-25300', 0, /^$/],
    ['untrust', 'SecTrustSettingsRemoveTrustSettings', '-60006', 42, /still trusted: -60006/],
  ]
  for (const [verb, call, number, code, says] of cases) {
    writeFileSync(fail, `${call} ${number}`)
    const ran = it.run([verb], { input: pem })
    t.match(ran, { code }, `${call} ${number}`)
    t.match(ran.errors.trim(), says)
  }
})
