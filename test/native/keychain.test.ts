/** locald-keychain and locald-shim as they change a Mac's trust settings, against a fake of Apple's calls. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { certificate } from '../lib/certificates.ts'
import { FakeKeychain } from '../lib/fake-keychain.ts'
import { hostsInput, Installed, unable } from '../lib/shim.ts'

const someUid = 300_000 + process.pid
const pem = certificate()

interface Keychain {
  readonly mac: FakeKeychain
  /** Runs `locald-keychain`: its code, its line of JSON, and what it said. */
  run(verb: string, options?: { input?: string; uid?: number }): { code: number | null; result: unknown; says: string }
}

function keychainOf(t: Test): Keychain {
  const folder = mkdtempSync(join(tmpdir(), 'locald-keychain-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  spawnSync('chmod', ['755', folder])
  const mac = new FakeKeychain(join(folder, 'mac'))
  const program = join(folder, 'locald-keychain')
  mac.buildProgram(program)
  return {
    mac,
    run(verb, { input = pem, uid = someUid } = {}) {
      const isRoot = process.getuid?.() === 0
      const who = isRoot ? { uid, gid: uid } : {}
      const { status, stdout, stderr } = spawnSync(program, [verb], { input, encoding: 'utf8', cwd: '/', ...who })
      if (/Sanitizer|runtime error/.test(stderr)) throw new Error(stderr)
      return { code: status, result: stdout === '' ? undefined : JSON.parse(stdout), says: stderr.trim() }
    },
  }
}

const none = { is: 'none', status: -25300 }
const trusted = { is: 'trusted', status: 0 }

t.test('locald-keychain', async t => {
  const { mac, run } = keychainOf(t)

  t.test('trusts for the caller alone, and reverts it all', async t => {
    t.match(run('state'), { code: 0, result: { user: none, admin: none }, says: '' })
    t.match(run('trust'), { code: 0, result: { status: 0 }, says: '' })
    t.match(run('state'), { code: 0, result: { user: trusted, admin: none } })
    const [hash = ''] = mac.lines('login')
    t.strictSame(mac.lines('user'), [`${hash} Policy=ssl,Result=1`], 'for TLS servers, and for nothing else')
    t.strictSame([mac.lines('system'), mac.lines('admin')], [[], []])
    t.match(run('trust'), { code: 0, result: { status: 0 } }, 'again')
    t.match(run('untrust'), { code: 0, result: { status: 0 } })
    t.strictSame([mac.lines('login'), mac.lines('user')], [[], []])
    t.notMatch(mac.calls().join('\n'), /not released/)
  })

  t.test('untrust shows no dialog when there is nothing to remove', async t => {
    mac.reset()
    t.match(run('untrust'), { code: 0, result: { status: 0 } }, 'a new Mac')
    t.match(mac.calls().join('\n'), /RemoveTrustSettings user -25263/)
    mac.put('user', ['0123456789abcdef Result=1'])
    mac.put('login', ['0123456789abcdef'])
    mac.fail({ SecTrustSettingsRemoveTrustSettings: -60007 })
    t.match(run('untrust'), { code: 0, result: { status: 0 } }, 'settings of other certificates')
    t.match(mac.calls().join('\n'), /RemoveTrustSettings user -25300[\s\S]*SecItemDelete login -25300/)
    t.strictSame(mac.lines('login'), ['0123456789abcdef'], 'which stay')
  })

  t.test('reports the meaning of trust settings', async t => {
    mac.reset()
    run('trust')
    const [hash = ''] = mac.lines('login')
    const meanings: readonly [string, string][] = [
      ['', 'trusted'],
      ['Result=1', 'trusted'],
      ['Policy=ssl', 'trusted'],
      ['Policy=smime,Result=1', 'other'],
      ['Policy=ssl,Result=3', 'denied'],
      ['Policy=ssl,Result=1 Policy=ssl,Result=3', 'denied'],
      ['Policy=smime,Result=3 Policy=ssl,Result=1', 'trusted'],
      ['Policy=ssl,Result=4', 'other'],
      ['Policy=ssl,Result=1,PolicyString=example.com', 'other'],
      ['Policy=ssl,Result=1,Application=Safari', 'other'],
      ['Policy=ssl,Result=1,KeyUsage=1', 'other'],
      ['Policy=ssl,Result=1,KeyUsage=-1', 'trusted'],
      ['Policy=ssl,AllowedError=-2147409654', 'other'],
    ]
    for (const [settings, is] of meanings) {
      mac.put('user', [`${hash} ${settings}`.trim()])
      mac.put('admin', [`${hash} ${settings}`.trim()])
      t.match(run('state').result, { user: { is, status: 0 }, admin: { is, status: 0 } }, settings || 'an empty list')
    }
    mac.fail({ SecTrustSettingsCopyTrustSettings: -2070 })
    t.match(run('state'), { code: 0, result: { user: { is: 'unknown', status: -2070 } } })
    t.notMatch(mac.calls().join('\n'), /not released/)
  })

  t.test('prints the status of a refusal and leaves nothing behind', async t => {
    const calls: readonly [string, string, number][] = [
      ['trust', 'SecCertificateAddToKeychain', -25293],
      ['trust', 'SecCertificateAddToKeychain', -25308],
      ['trust', 'SecTrustSettingsSetTrustSettings', -60005],
      ['trust', 'SecTrustSettingsSetTrustSettings', -60007],
      ['trust', 'SecTrustSettingsSetTrustSettings', -128],
    ]
    for (const [verb, call, status] of calls) {
      mac.reset()
      mac.fail({ [call]: status })
      t.match(run(verb), { code: 1, result: { call, status }, says: '' })
      t.strictSame([mac.lines('login'), mac.lines('user')], [[], []], `${call} ${status}`)
      t.notMatch(mac.calls().join('\n'), /not released/)
    }
    mac.reset()
    run('trust')
    mac.fail({ SecTrustSettingsRemoveTrustSettings: -60006 })
    const call = 'SecTrustSettingsRemoveTrustSettings'
    t.match(run('untrust'), { code: 1, result: { call, status: -60006 } })
    t.equal(mac.lines('login').length, 1, 'a certificate that is still trusted stays')
    mac.fail({ SecItemDelete: -61 })
    t.match(run('untrust'), { code: 1, result: { call: 'SecItemDelete', status: -61 } })
  })

  t.test('discards a certificate without trust settings', async t => {
    mac.reset()
    run('trust')
    t.match(run('discard'), { code: 0 })
    t.equal(mac.lines('login').length, 1, 'one with trust settings stays')
    rmSync(join(mac.folder, 'user'))
    t.match(run('discard'), { code: 0 })
    t.strictSame(mac.lines('login'), [])
    t.match(run('discard'), { code: 0 }, 'again')
    t.notMatch(mac.calls().join('\n'), /Remove|not released/)
  })

  t.test('rejects other uses', async t => {
    mac.reset()
    t.match(run('forget'), { code: 64, says: /usage/ })
    t.match(run('trust', { input: `${pem}${pem}` }), { code: 65, says: /not one certificate in PEM/ })
    t.match(run('trust', { input: 'x'.repeat(70_000) }), { code: 65 })
    mac.fail({ SecCertificateCreateWithData: -1 })
    t.match(run('state'), { code: 65, says: /cannot read the certificate/ })
    if (process.getuid?.() === 0) t.match(run('trust', { uid: 0 }), { code: 66, says: /without sudo/ })
    t.strictSame([mac.lines('login'), mac.lines('user')], [[], []])
  })
})

t.test('locald-shim, for all users', { skip: unable }, async t => {
  const it = new Installed({ sanitized: true })
  t.teardown(() => it.remove())
  const mac = new FakeKeychain(join(it.root, 'mac'))
  mac.buildShim(it.shim, it.root)
  const run = (verb: string) => it.run([verb], { input: pem })

  t.test('trusts and reverts it all', async t => {
    t.match(run('trust'), { code: 0, errors: '', output: '' })
    const [hash = ''] = mac.lines('system')
    t.strictSame(mac.lines('admin'), [`${hash} Policy=ssl,Result=1`])
    t.strictSame([mac.lines('login'), mac.lines('user')], [[], []])
    t.match(run('trust'), { code: 0, errors: '' }, 'again')
    t.match(run('untrust'), { code: 0, errors: '' })
    t.strictSame([mac.lines('system'), mac.lines('admin')], [[], []])
    t.match(run('untrust'), { code: 0, errors: '' }, 'where it is not there, as on a new Mac')
    t.notMatch(mac.calls().join('\n'), /not released/)
  })

  t.test('exits with the status of a refusal', async t => {
    const calls: readonly [string, string, number, RegExp][] = [
      ['trust', 'SecKeychainOpen', -25294, /system keychain cannot be opened: -25294$/],
      ['trust', 'SecCertificateAddToKeychain', -61, /cannot be added: -61$/],
      ['trust', 'SecTrustSettingsSetTrustSettings', -60007, /cannot be trusted: -60007$/],
      ['trust', 'SecTrustSettingsSetTrustSettings', -60005, /cannot be trusted: -60005$/],
      ['trust', 'SecTrustSettingsSetTrustSettings', -128, /cannot be trusted: -128$/],
      ['untrust', 'SecItemDelete', -25293, /still in the system keychain: -25293$/],
    ]
    for (const [verb, call, status, says] of calls) {
      mac.reset()
      mac.fail({ [call]: status })
      const ran = run(verb)
      t.match(ran, { code: 46 }, `${call} ${status}`)
      t.match(ran.errors.trim(), says)
      t.strictSame([mac.lines('system'), mac.lines('admin')], [[], []])
    }
    mac.reset()
    run('trust')
    mac.fail({ SecTrustSettingsRemoveTrustSettings: -60006 })
    t.match(run('untrust'), { code: 46, errors: /still trusted: -60006/ })
    t.equal(mac.lines('system').length, 1)
  })

  t.test('does not hold the lock while it waits for the user', async t => {
    it.reset()
    mac.reset()
    mac.fail({ SecTrustSettingsSetTrustSettings: 'sleep' })
    const child = spawn(it.shim, ['trust'], {
      uid: it.uid,
      gid: it.uid,
      cwd: '/',
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const exited = once(child, 'exit')
    child.stdin.end(pem)
    // The dialog is up as soon as the certificate is in the keychain.
    for (let left = 1000; mac.lines('system').length === 0 && left > 0; left--) await pause(10)
    t.equal(mac.lines('system').length, 1)
    t.match(it.run(['hosts'], { input: hostsInput('a.test') }), { code: 0, errors: '' }, 'names are written meanwhile')
    t.ok(existsSync(it.hosts))
    spawnSync('kill', ['-9', String(child.pid)])
    await exited
  })
})
