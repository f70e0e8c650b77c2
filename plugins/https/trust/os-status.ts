import type { TrustOutcome, TrustStep } from '../../../kernel/contract/plugin.ts'

/** What an OSStatus means: what failed, and what to do. */
interface Meaning {
  readonly reason: string
  readonly hint: string
}

type KeychainChange = Pick<TrustStep, 'act' | 'domain'>

const atTheScreen = (of: KeychainChange): string =>
  `Run \`${commandFor(of)}\` in Terminal at the Mac’s screen, as the user who is logged in there.`
const cancelled = (of: KeychainChange): Meaning => ({
  reason: 'the dialog of macOS was cancelled',
  hint: `Run \`${commandFor(of)}\` and allow it.`,
})
const noScreen = (of: KeychainChange): Meaning => ({
  reason: 'macOS cannot show its dialog in this session (ssh, a background job)',
  hint: atTheScreen(of),
})
const noKeychain = (): Meaning => ({
  reason: 'there is no usable login keychain',
  hint: 'Choose Keychain Access > Settings > Reset Default Keychains, or run `security default-keychain -s login.keychain-db`.',
})
const readOnly = ({ domain }: KeychainChange): Meaning => ({
  reason: `the ${domain === 'user' ? 'login' : 'system'} keychain cannot be written to`,
  hint:
    domain === 'user'
      ? 'Give its files back to yourself: `sudo chown -R "$USER" ~/Library/Keychains`.'
      : 'Look for a device profile that forbids it in System Settings > General > Device Management.',
})

/** By OSStatus: Authorization.h, SecBase.h and MacErrors.h. */
const meanings: Readonly<Record<number, (of: KeychainChange) => Meaning>> = {
  // errAuthorizationDenied: also with a smart card or a security key in use (FiloSottile/mkcert#538).
  [-60005]: of => ({
    reason:
      of.domain === 'user'
        ? 'macOS did not accept the password'
        : 'macOS did not accept an administrator’s name and password',
    hint: `Run \`${commandFor(of)}\` again with ${of.domain === 'user' ? 'the password you log in with' : 'an administrator’s password'}; unplug a smart card or security key first.`,
  }),
  [-60006]: cancelled,
  [-128]: cancelled,
  [-60007]: noScreen,
  [-25315]: noScreen,
  [-60008]: of => ({
    reason: 'macOS could not ask for the password',
    hint: `Log out, log in, and run \`${commandFor(of)}\` again.`,
  }),
  [-25293]: of => ({
    reason: 'macOS did not accept the keychain’s password',
    hint: `Run \`security unlock-keychain\`, then \`${commandFor(of)}\`.`,
  }),
  [-25308]: of => ({
    reason: 'the keychain is locked, and macOS cannot ask for its password in this session (ssh, a background job)',
    hint: atTheScreen(of),
  }),
  [-25291]: noKeychain,
  [-25294]: noKeychain,
  [-25295]: noKeychain,
  [-25307]: noKeychain,
  [-61]: readOnly,
  [-25292]: readOnly,
  // errSecErrnoBase + EPERM
  100001: readOnly,
  // errSecInternalComponent: no session of trustd, or a locked keychain (FiloSottile/mkcert#94,
  // actions/runner-images#4734).
  [-2070]: of => ({
    reason: 'macOS’ trust service does not respond: no login session, or a locked keychain',
    hint: `Log in at the Mac’s screen, run \`security unlock-keychain\`, then \`${commandFor(of)}\`.`,
  }),
  [-25262]: of => ({
    reason: 'the trust settings of macOS are damaged',
    hint: `Look at them by \`security dump-trust-settings${of.domain === 'admin' ? ' -d' : ''}\`, and delete the broken entry in Keychain Access.`,
  }),
}

/** Returns what an OSStatus means for a change. */
export function meaningOf(status: number, of: KeychainChange): Meaning {
  const known = meanings[status]?.(of)
  if (known !== undefined) return { ...known, reason: `${known.reason} (${status})` }
  return { reason: `macOS refused (${status})`, hint: `Look it up: \`security error ${status}\`.` }
}

/** Returns what a failed outcome means. */
export function failureOf(outcome: TrustOutcome): Meaning {
  if (outcome.status !== null) return meaningOf(outcome.status, outcome)
  const { act, domain, says } = outcome
  const command = commandFor(outcome)
  if (domain === 'user') return { reason: says, hint: `Run \`${command}\` again.` }
  const byHand = act === 'trust' ? addition : 'sudo security remove-trusted-cert -d FILE'
  const hint = `Run \`sudo locald admin setup\`, then \`${command}\`; or, with the CA’s file, \`${byHand}\`.`
  return { reason: says, hint }
}

const addition = 'sudo security add-trusted-cert -d -r trustRoot -p ssl -k /Library/Keychains/System.keychain FILE'

/** Returns the command that makes a change. */
export function commandFor({ act, domain }: KeychainChange): string {
  return act === 'untrust' ? 'locald untrust' : domain === 'admin' ? 'locald trust --system' : 'locald trust'
}
