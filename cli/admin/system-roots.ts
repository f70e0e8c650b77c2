import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import type { HelperPaths } from '../../shim/paths.ts'

/** A CA of locald in a keychain of all users. */
export interface SystemRoot {
  /** Its common name. */
  readonly name: string
  readonly pem: string
  /** The commands that remove it by hand, with its trust settings. */
  readonly byHand: string
}

/** How the common name of every CA begins that locald makes. */
const ours = 'locald development CA'
const limitMs = 20_000

/**
 * Finds the CAs that `locald trust --system` has added to the system keychain, for any user; none where it has no such
 * keychain.
 */
export function systemRoots(keychain: HelperPaths['keychain']): readonly SystemRoot[] {
  if (keychain === undefined) return []
  const { file, security } = keychain
  const words = ['find-certificate', '-a', '-p', '-c', ours, file]
  const { stdout } = spawnSync(security, words, {
    encoding: 'utf8',
    timeout: limitMs,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // Null where the program is not there.
  const found = stdout?.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g) ?? []
  return [...new Set(found)].map(text => {
    const { subject, fingerprint256 } = new X509Certificate(text)
    const hash = fingerprint256.replaceAll(':', '')
    return {
      name: /^CN=(.*)$/m.exec(subject)?.[1] ?? ours,
      pem: text.endsWith('\n') ? text : `${text}\n`,
      // The first, as root, exits before it deletes where root has no trust settings of its own (Security-61901,
      // keychain_delete.c).
      byHand: `sudo security delete-certificate -t -Z ${hash} ${file}; sudo security delete-certificate -Z ${hash} ${file}`,
    }
  })
}
