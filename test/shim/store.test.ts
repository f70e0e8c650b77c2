/** The machine's store of certificates, as the shim changes it. */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { certificate } from '../lib/certificates.ts'
import { Installed, someRoot, unable } from '../lib/shim.ts'

for (const sanitized of [false, true]) {
  t.test(sanitized ? 'sanitized' : 'release', { skip: unable }, async t => {
    const it = new Installed({ sanitized })
    t.teardown(() => it.remove())
    store(t, it)
  })
}

/** Names of a folder that are the helper's, or links to what is. */
function ours(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter(name => name.includes('locald') || /^[0-9a-f]{8}\.\d+$/.test(name))
    .sort()
}

function store(t: Test, it: Installed): void {
  const hook = () => join(it.root, 'etc/ca-certificates/update.d/zz-locald')
  const bundle = () => readFileSync(it.bundle, 'utf8')
  const trust = (input: string, uid = it.uid) =>
    t.match(it.run(['trust'], { input, uid }), { code: 0, errors: '', output: '' })
  const untrust = (input: string, uid = it.uid) =>
    t.match(it.run(['untrust'], { input, uid }), { code: 0, errors: '', output: '' })

  t.test('trust and untrust', async t => {
    it.reset()
    it.addStore()
    const before = it.snapshot()
    const pem = certificate()
    trust(pem.replaceAll('\n', '\r\n'))
    const [link = '', name = '', ...rest] = ours(it.certs)
    t.match(name, new RegExp(`^locald-${it.uid}-[0-9a-f]{2,40}\\.crt$`), 'not *.pem, which Java’s store is made of')
    t.strictSame(rest, [])
    t.equal(readlinkSync(join(it.certs, link)), name, 'is found by its hash')
    t.equal(readFileSync(join(it.certs, name), 'utf8'), pem)
    t.match(lstatSync(join(it.certs, name)), { mode: 0o100644, uid: 0 })
    t.equal(bundle(), someRoot + pem)
    t.match(
      readFileSync(join(it.root, 'inherited'), 'utf8'),
      /^2 rehash \S*\/etc\/ssl\/certs 0 PATH=\/usr\/sbin:\/usr\/bin:\/sbin:\/bin PWD=\/ \n/,
      'as root, in a clean environment',
    )
    const trusted = it.snapshot()
    trust(pem)
    t.equal(it.snapshot(), trusted, 'what is there already is not added')

    writeFileSync(it.bundle, someRoot)
    t.match(spawnSync(hook(), [], { input: '+x\n' }), { status: 0 })
    t.equal(bundle(), someRoot + pem, 'comes back when the distribution’s program has written the bundle')

    const other = certificate({ key: ['-newkey', 'rsa:2048'], digest: 'sha512' })
    trust(other)
    t.equal(bundle(), someRoot + pem + other, 'a sandbox has its own')
    untrust(pem)
    t.equal(bundle(), someRoot + other)
    untrust(other)
    rmSync(join(it.root, 'inherited'))
    t.equal(it.snapshot().replace(/ \S+$/gm, ''), before.replace(/ \S+$/gm, ''), 'all is as it was')
    t.equal(bundle(), someRoot)
    t.notOk(existsSync(join(it.root, 'updates')), 'what empties the store first was never run')
  })

  t.test('untrust of a missing certificate', async t => {
    it.reset()
    it.addStore()
    const pem = certificate()
    writeFileSync(it.bundle, someRoot + pem)
    const was = it.snapshot()
    untrust(pem)
    t.equal(it.snapshot(), was, 'a root that the administrator has put there stays')
    writeFileSync(it.conf, `uid ${it.uid}\nuid ${it.uid + 1}\n`)
    trust(pem, it.uid + 1)
    untrust(pem)
    t.equal(bundle(), someRoot + pem, 'and so does that of another user')
    trust(pem)
    untrust(pem)
    t.equal(bundle(), someRoot + pem, 'also when both have it')
    untrust(pem, it.uid + 1)
    t.equal(bundle(), someRoot)
  })

  t.test('untrust after an earlier version', async t => {
    it.reset()
    it.addStore()
    const pem = certificate()
    trust(pem)
    const [hash = '', name = ''] = ours(it.certs)
    const link = name.replace('.crt', '.pem')
    const anchor = join(it.root, 'usr/local/share/ca-certificates', name)
    renameSync(join(it.certs, name), anchor)
    for (const [target, path] of [
      [anchor, link],
      [link, hash],
    ] as const) {
      rmSync(join(it.certs, path), { force: true })
      symlinkSync(target, join(it.certs, path))
    }
    const [subject] = hash.split('.')
    writeFileSync(join(it.certs, 'real.pem'), '')
    symlinkSync('real.pem', join(it.certs, `${subject}.1`))
    untrust(pem)
    t.notOk(existsSync(anchor))
    t.strictSame(ours(it.certs), [hash], 'a root with the same hash is still found')
    t.equal(readlinkSync(join(it.certs, hash)), 'real.pem')
    t.equal(bundle(), someRoot)
    for (const [target, path] of [
      [anchor, link],
      [link, `${subject}.1`],
    ] as const)
      symlinkSync(target, join(it.certs, path))
    untrust(pem)
    t.strictSame(ours(it.certs), [hash], 'links that lead nowhere')
  })

  t.test("untrust of another user's certificate of an earlier version", async t => {
    it.reset()
    it.addStore()
    const pem = certificate()
    writeFileSync(it.conf, `uid ${it.uid}\nuid ${it.uid + 1}\n`)
    trust(pem, it.uid + 1)
    const name = ours(it.certs).find(name => name.endsWith('.crt')) ?? ''
    renameSync(join(it.certs, name), join(it.root, 'usr/local/share/ca-certificates', name))
    trust(pem)
    untrust(pem)
    t.equal(bundle(), someRoot + pem)
    untrust(pem, it.uid + 1)
    t.equal(bundle(), someRoot)
  })

  t.test('a full or failing store', async t => {
    it.reset()
    it.addStore()
    const pem = certificate()
    writeFileSync(join(it.root, 'code'), '3')
    t.match(it.run(['trust'], { input: pem }), { code: 43, errors: /openssl rehash/ })
    t.strictSame([ours(it.certs), bundle()], [[], someRoot], 'what could not be added does not stay')
    rmSync(join(it.root, 'code'))
    rmSync(join(it.root, 'usr/bin/openssl'))
    for (let left = 16; left > 0; left--) trust(certificate())
    t.match(it.run(['trust'], { input: pem }), { code: 44, errors: /16 certificates/ })
    t.equal(ours(it.certs).length, 16, 'without openssl there are no hashes')
  })

  t.test('other distributions', async t => {
    const families: [string, string, string, RegExp][] = [
      ['etc/pki/ca-trust/source/anchors', 'usr/bin/update-ca-trust', '.pem', /^1 extract /],
      ['etc/ca-certificates/trust-source/anchors', 'usr/bin/update-ca-trust', '.crt', /^0 {2}/],
      ['etc/pki/trust/anchors', 'usr/sbin/update-ca-certificates', '.pem', /^0 {2}/],
    ]
    it.reset()
    it.addStore()
    const pem = certificate()
    trust(pem)
    const [name = ''] = ours(it.certs).filter(it => it.endsWith('.crt'))
    for (const [folder, program, ending, words] of families) {
      it.reset()
      for (const path of [folder, dirname(program)]) mkdirSync(join(it.root, path), { recursive: true, mode: 0o755 })
      const script = (code: number) => `#!/bin/sh\necho "$# $* " > ${it.root}/updates\nexit ${code}\n`
      writeFileSync(join(it.root, program), script(3), { mode: 0o755 })
      t.match(it.run(['trust'], { input: pem }), { code: 45, errors: /Java/ }, folder)
      const anchor = join(it.root, folder, name.replace('.crt', ending))
      t.notOk(existsSync(anchor))
      untrust(pem)
      t.notOk(existsSync(join(it.root, 'updates')), 'nothing is run for nothing')
      writeFileSync(anchor, pem)
      t.match(it.run(['untrust'], { input: pem }), { code: 43, errors: /by hand/ })
      t.ok(existsSync(anchor), 'so that it can be tried again')
      writeFileSync(join(it.root, program), script(0), { mode: 0o755 })
      untrust(pem)
      t.notOk(existsSync(anchor))
      t.match(readFileSync(join(it.root, 'updates'), 'utf8'), words)
    }
  })
}
