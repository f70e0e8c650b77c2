/** Trust in the keychain of a Mac: messages, dialogs, and what stays. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { DoctorAnswer } from '../../kernel/protocol.ts'
import { FakeKeychain } from '../lib/fake-keychain.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { packageFor } from '../lib/user.ts'
import { type Machine, on } from './suite.ts'

interface Mac {
  readonly box: Sandbox
  readonly keychain: FakeKeychain
  /** The CA's folder. */
  readonly ca: string
}

/** A sandbox whose native programs include `locald-keychain`, with a keychain of its own. */
function macOf(machine: Machine): Mac {
  const box = machine.sandbox()
  const native = join(box.home, 'native')
  const built = join(packageFor(box.user), 'build', 'native')
  const keychain = new FakeKeychain(join(box.home, 'keychain'))
  mkdirSync(native)
  symlinkSync(join(built, 'locald-keeper'), join(native, 'locald-keeper'))
  keychain.buildProgram(join(native, 'locald-keychain'))
  chmodSync(native, 0o755)
  const data = join(box.home, 'Library', 'Application Support', 'locald', 'sandboxes', box.name, 'data')
  Object.assign(box.env, { LOCALD_NATIVE: native })
  return { box, keychain, ca: join(data, 'ca') }
}

const asks =
  /^macOS asks for your password or Touch ID now, to let locald-keychain change your certificate trust settings/

async function stateOf({ box }: Mac): Promise<unknown> {
  const { stdout } = await box.run(['doctor', '--json'])
  const { checks }: DoctorAnswer = JSON.parse(stdout)
  return checks.find(({ id }) => id === 'trust-system')
}

on('darwin', 'announces trust, asks for it once, reads it back and removes it', async (t, machine) => {
  const mac = macOf(machine)
  const { box, keychain } = mac
  t.match(
    await box.run(['untrust']),
    { code: 0, stdout: /your login keychain does not trust it/, stderr: '' },
    'a new Mac',
  )
  t.match(await stateOf(mac), { status: 'warn', fix: 'Run `locald trust`.' })
  const first = await box.run(['trust'])
  t.match(first, { code: 0, stdout: /✓ your login keychain trusts it\nRestart browsers that are open\./, stderr: asks })
  t.equal(keychain.lines('user').length, 1)
  t.match(await stateOf(mac), { status: 'pass', summary: 'your login keychain: trusted' })
  keychain.calls()
  t.match(await box.run(['trust', '--json']), { code: 0, stderr: '' }, 'a second time shows no dialog')
  t.notMatch((await box.run(['trust'])).stdout, /Restart/)
  t.notMatch(keychain.calls().join('\n'), /SetTrust|Remove|Add/)
  t.match(await box.run(['untrust']), { code: 0, stdout: /does not trust it/, stderr: asks })
  t.strictSame([keychain.lines('user'), keychain.lines('login')], [[], []])
})

on('darwin', 'a refusal of macOS is reported with a reason and a hint', async (t, machine) => {
  const mac = macOf(machine)
  const { box, keychain } = mac
  const cases: readonly [string, number, RegExp, RegExp][] = [
    ['SecTrustSettingsSetTrustSettings', -128, /cancelled \(-128\)/, /Run `locald trust` and allow it/],
    ['SecTrustSettingsSetTrustSettings', -60006, /cancelled \(-60006\)/, /allow it/],
    ['SecTrustSettingsSetTrustSettings', -60005, /did not accept the password \(-60005\)/, /password you log in with/],
    ['SecTrustSettingsSetTrustSettings', -60007, /cannot show its dialog/, /in Terminal at the Mac’s screen/],
    ['SecTrustSettingsSetTrustSettings', -2070, /trust service does not respond/, /security unlock-keychain/],
    ['SecCertificateAddToKeychain', -25308, /keychain is locked/, /in Terminal at the Mac’s screen/],
    ['SecCertificateAddToKeychain', -25293, /keychain’s password/, /security unlock-keychain/],
    ['SecCertificateAddToKeychain', -61, /cannot be written to/, /chown/],
    ['SecCertificateAddToKeychain', -25307, /no usable login keychain/, /Reset Default Keychains/],
    ['SecCertificateAddToKeychain', -67671, /refused \(-67671\)/, /security error -67671/],
  ]
  for (const [call, status, reason, todo] of cases) {
    keychain.fail({ [call]: status })
    const ran = await box.run(['trust'])
    t.match(ran, { code: 1, stderr: reason }, `${call} ${status}`)
    t.match(ran.stderr, todo)
    t.notMatch(ran.stderr, /ca-certificates|✓/)
  }
  keychain.fail({ SecTrustSettingsSetTrustSettings: -60007 })
  const { code, stdout } = await box.run(['trust', '--json'])
  const said = { kind: 'system', done: false, reason: /-60007/, todo: /Terminal/ }
  t.match({ code, ...JSON.parse(stdout) }, { code: 1, stores: [said] })
  keychain.fail({ SecTrustSettingsCopyTrustSettings: -2070 })
  t.match(await stateOf(mac), { status: 'warn', summary: /trust service does not respond/, fix: /unlock-keychain/ })
  t.match(
    await box.run(['trust']),
    { code: 0, stderr: asks },
    'the daemon may be where only the settings cannot be read',
  )
  keychain.reset()
  await box.ok(['trust'])
  keychain.fail({ SecTrustSettingsRemoveTrustSettings: -60006 })
  t.match(await box.run(['untrust']), { code: 1, stderr: /cancelled[\s\S]*Run `locald untrust` and allow it/ })
  t.equal(keychain.lines('user').length, 1)
})

on('darwin', 'an unanswered dialog closes with the command that opened it', async (t, machine) => {
  const { box, keychain } = macOf(machine)
  await box.ok(['untrust'])
  const isAsking = () => box.processes().some(({ command }) => command.includes('locald-keychain trust'))
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    keychain.reset()
    keychain.fail({ SecTrustSettingsSetTrustSettings: 'sleep' })
    const waiting = box.start(['trust'])
    await until('the dialog', () => keychain.lines('login').length === 1)
    t.ok(isAsking())
    t.match(waiting.stderr, asks, 'announced before')
    waiting.child.kill(signal)
    t.match(await waiting.done, { code }, signal)
    await until(`the end of the dialog after ${signal}`, () => !isAsking())
    await until('the certificate is removed', () => keychain.lines('login').length === 0)
    t.strictSame(keychain.lines('user'), [])
  }
})

on('darwin', 'a replaced CA is removed once, without further dialogs', async (t, machine) => {
  const { box, keychain, ca } = macOf(machine)
  await box.ok(['trust'])
  const [old = ''] = keychain.lines('user')
  for (const round of [1, 2]) {
    rmSync(join(ca, 'root.key'))
    await box.ok(['server', 'restart'])
    t.comment(`CA ${round + 1}`)
  }
  const retired = () => readdirSync(ca).filter(name => name.startsWith('retired-'))
  t.equal(retired().length, 2)
  keychain.fail({ SecTrustSettingsRemoveTrustSettings: -60006 })
  const refused = await box.run(['trust'])
  t.match(refused, {
    code: 1,
    stderr: /an earlier CA \([0-9a-f]{16}\) in your login keychain: the dialog of macOS was cancelled/,
  })
  t.match(refused.stderr, /Ctrl-C cancels, 1 of 2\)[\s\S]*2 of 2\)/)
  t.match(refused.stderr, /✓ your login keychain trusts it/, 'the new one comes first')
  t.equal(retired().length, 1, 'one without trust settings is forgotten at once')
  keychain.fail({})
  keychain.calls()
  t.match(await box.run(['trust']), { code: 0, stderr: asks })
  t.equal(keychain.calls().filter(call => /Remove/.test(call)).length, 1)
  t.notMatch(keychain.lines('user').join(), old.split(' ')[0])
  t.strictSame(retired(), [])
  t.match(await box.run(['trust']), { code: 0, stderr: '' })
})

on('darwin', 'trust for all users needs the privileged helper and covers the user', async (t, machine) => {
  const { box, keychain } = macOf(machine)
  t.match(await box.run(['trust', '--system']), {
    code: 1,
    stderr: /only locald-shim changes it\n {2}Run `sudo locald admin setup`, then `locald trust --system`/,
  })
  await box.ok(['trust'])
  keychain.put('admin', keychain.lines('user'))
  keychain.put(
    'user',
    keychain.lines('user').map(line => line.replace('Result=1', 'Result=3')),
  )
  t.match(await box.run(['doctor', '--json']), { stdout: /set to Never Trust/ })
  rmSync(join(keychain.folder, 'user'))
  keychain.calls()
  t.match(await box.run(['trust']), {
    code: 0,
    stdout: /✓ your login keychain trusts it: the system keychain \(all users\)/,
  })
  t.match(await box.run(['trust', '--system']), { code: 0, stdout: /✓ the system keychain \(all users\) trusts it\n$/ })
  t.match(await box.run(['untrust']), { code: 1, stderr: /the system keychain \(all users\): only locald-shim/ })
  t.notMatch(keychain.calls().join('\n'), /SetTrust|Remove/)
  t.match(await box.run(['trust', '--sytem']), {
    code: 2,
    stderr: /^Error: unexpected argument '--sytem' \[USAGE\]\nHint: See `locald trust --help`/,
  })
  t.ok(existsSync(keychain.folder))
})
