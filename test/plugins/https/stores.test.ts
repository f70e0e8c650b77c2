import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { openAuthority, readRoot, retiredRoots } from '../../../plugins/https/ca/authority.ts'
import { Trust } from '../../../plugins/https/trust/trust.ts'
import { domains, machineAt, programOf } from './harness.ts'

t.test('the stores', async t => {
  await t.test('of distributions are changed by the user', async t => {
    const families = [
      ['debian', '/usr/local/share/ca-certificates', 'update-ca-certificates', '/etc/ssl/certs/ca-certificates.crt'],
      ['fedora', '/etc/pki/ca-trust/source/anchors', 'update-ca-trust', '/etc/pki/tls/certs/ca-bundle.crt'],
      [
        'arch',
        '/etc/ca-certificates/trust-source/anchors',
        'update-ca-trust',
        '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
      ],
      ['opensuse', '/etc/pki/trust/anchors', 'update-ca-certificates', '/etc/ssl/ca-bundle.pem'],
    ] as const
    for (const [name, anchors, program, bundle] of families) {
      const root = t.testdir({ bin: {} })
      const folder = join(root, 'ca')
      openAuthority(folder, domains)
      for (const made of [anchors, join(bundle, '..')]) mkdirSync(join(root, made), { recursive: true })
      writeFileSync(join(root, bundle), '')
      // The distribution's tool, as far as it matters here: it makes the bundle of the anchors.
      const script = `#!/bin/sh\ncat '${root}${anchors}'/* > '${root}${bundle}' 2>/dev/null || : > '${root}${bundle}'\n`
      writeFileSync(join(root, 'bin', program), script, { mode: 0o755 })
      const machine = {
        root,
        home: join(root, 'home'),
        path: `${join(root, 'bin')}${delimiter}/bin${delimiter}/usr/bin`,
      }
      // Root has no way of its own: what locald puts there would get into Java's store.
      for (const uid of [0, 1000]) {
        const refused = await new Trust(machineAt(root, { ...machine, uid }), folder).trust()
        t.equal(refused.exitCode, 1, name)
        const byHand = `Java programs would trust the CA for any site[^]*sudo install -m 0644 ${folder}/root.pem ${root}${anchors}/locald-[^]*&& sudo ${program}`
        t.match(refused.text, name === 'debian' ? /sudo locald admin setup && locald trust/ : new RegExp(byHand))
      }
      const user = new Trust(machineAt(root, machine), folder)
      t.match(await user.checkStores('system'), { status: 'warn', fix: 'Run `locald trust`.' })
      const anchor = join(
        root,
        anchors,
        `locald-${readRoot(folder)?.id}${/fedora|opensuse/.test(name) ? '.pem' : '.crt'}`,
      )
      copyFileSync(join(folder, 'root.pem'), anchor)
      await execa(join(root, 'bin', program))
      t.match(await user.checkStores('system'), { status: 'pass' })
      t.match(await user.trust(), { exitCode: 0 }, 'nothing is left to do')
      t.match(await user.untrust(), { exitCode: 1, text: /sudo rm -f / })
      const idle = { trust: async () => {}, untrust: async () => {} }
      const said = await new Trust(machineAt(root, machine), folder, () => idle).untrust()
      t.match(said, { exitCode: 1, text: /added by hand/ }, 'the helper has done nothing')
      rmSync(anchor)
      await execa(join(root, 'bin', program))
      t.match(await user.untrust(), { exitCode: 0 })
    }
  })

  await t.test('of Debian are changed by the privileged helper', async t => {
    const root = t.testdir({ bin: {}, etc: { ssl: { certs: { 'ca-certificates.crt': '' } } }, usr: { local: {} } })
    const folder = join(root, 'ca')
    const bundle = join(root, 'etc/ssl/certs/ca-certificates.crt')
    mkdirSync(join(root, 'usr/local/share/ca-certificates'), { recursive: true })
    writeFileSync(join(root, 'bin/update-ca-certificates'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    const text = () => readFileSync(bundle, 'utf8')
    const helper = {
      trust: async (pem: string) => writeFileSync(bundle, text() + pem),
      untrust: async (pem: string) => writeFileSync(bundle, text().replace(pem, '')),
    }
    openAuthority(folder, domains)
    const trust = new Trust(machineAt(root, { path: join(root, 'bin') }), folder, () => helper)
    t.match(await trust.trust(), { exitCode: 0 })
    t.match(await trust.checkStores('system'), { status: 'pass' })
    openAuthority(folder, [...domains, 'dev.example.com'])
    t.match(await trust.checkStores('system'), { status: 'warn' }, 'a new root is not trusted yet')
    t.match(await trust.trust(), { exitCode: 0 })
    t.equal(text().match(/BEGIN/g)?.length, 1, 'and takes the place of the old one')
    t.match(await trust.untrust(), { exitCode: 0 })
    t.equal(text(), '')
    t.strictSame(retiredRoots(folder), [])
  })

  await t.test('of browsers are changed by certutil', async t => {
    const home = t.testdir({ '.config': { chromium: {} }, '.mozilla': { firefox: { 'a.default': {} } } })
    const folder = join(home, 'ca')
    openAuthority(folder, domains)
    const without = new Trust(machineAt(home, { path: '' }), folder)
    if (programOf('certutil')?.startsWith('/usr/sbin') !== true) {
      t.match(await without.checkStores('chromium'), { status: 'warn', fix: /libnss3-tools/ })
    }
    writeFileSync(join(folder, 'retired-0123456789abcdef.pem'), readFileSync(join(folder, 'root.pem')))
    const said = await new Trust(machineAt(home, { path: join(home, 'none') }), folder).trust()
    if (!existsSync('/usr/sbin/certutil')) t.equal(said.text.match(/certutil is not installed/g)?.length, 1, said.text)
    rmSync(join(folder, 'retired-0123456789abcdef.pem'))
    if (programOf('certutil') === undefined) return void t.pass('', { skip: 'certutil is not installed' })
    await execa('certutil', ['-N', '-d', `sql:${home}/.mozilla/firefox/a.default`, '--empty-password'])
    const trust = new Trust(machineAt(home), folder)
    t.match(await trust.checkStores('chromium'), { status: 'warn', fix: 'Run `locald trust`.' })
    const { text } = await trust.trust()
    t.match(text, '✓ Chromium’s store')
    t.match(text, '✓ Firefox’s store')
    t.match(await trust.checkStores('chromium'), { status: 'pass' })
    t.match(await trust.checkStores('firefox'), { status: 'pass' })
    const root = readRoot(folder)
    const name = `locald-${root?.id}`
    await execa('certutil', ['-M', '-d', `sql:${home}/.pki/nssdb`, '-n', name, '-t', ',,'])
    t.match(await trust.checkStores('chromium'), { status: 'warn' }, 'one whose trust was taken away')
    await trust.untrust()
    t.match(await trust.checkStores('firefox'), { status: 'warn' })
    const list = await execa('certutil', ['-L', '-d', `sql:${home}/.pki/nssdb`])
    t.notMatch(list.stdout, 'locald-')
  })

  await t.test('report a missing CA, an unknown system, and macOS', async t => {
    const home = t.testdir()
    const folder = join(home, 'ca')
    const trust = new Trust(machineAt(home), folder)
    t.match(await trust.trust(), { exitCode: 1, text: /There is no CA/ })
    t.match(await trust.untrust(), { exitCode: 1 })
    t.match(await trust.checkFiles(), { status: 'skip' })
    openAuthority(folder, domains)
    t.match(await trust.checkFiles(), { status: 'pass' })
    t.match(await trust.checkStores('system'), { status: 'warn', summary: /unsupported trust store layout/ })
    t.match(await trust.checkStores('firefox'), { status: 'skip' })
    const mac = new Trust(machineAt(home, { os: 'darwin' }), folder)
    t.match(await mac.trust(), { exitCode: 1, text: /locald-keychain is missing/ })
    t.match(await mac.checkStores('system'), { status: 'warn', summary: /missing/, fix: /Install locald again/ })
    const profile = join(home, 'Library', 'Application Support', 'Firefox', 'Profiles', 'a.default')
    mkdirSync(profile, { recursive: true })
    writeFileSync(join(profile, 'cert9.db'), '')
    const firefox = async () => new Trust(machineAt(home, { os: 'darwin', path: '' }), folder).checkStores('firefox')
    t.match(await firefox(), { status: 'skip', summary: /trusts what the keychain trusts.*brew install nss/ })
    for (const place of ['opt/homebrew/opt/nss/bin', 'usr/local/bin']) {
      mkdirSync(join(home, place), { recursive: true })
      writeFileSync(join(home, place, 'certutil'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
      t.match(await firefox(), { status: 'warn', summary: /^Firefox’s store/ }, `certutil in /${place}`)
      rmSync(join(home, place, 'certutil'))
    }
  })
})
