/** Certificates for tests, made by openssl(1). */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What differs from a CA of locald; an extension that is `null` is left out. */
export interface CertificateOptions {
  readonly name?: string
  readonly key?: readonly string[]
  readonly digest?: string
  readonly extensions?: Readonly<Record<string, string | null>>
}

export const localNames = 'permitted;DNS:localhost,permitted;DNS:test,permitted;DNS:internal'
export const loopback = 'permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
const noOtherNames = 'permitted;email:localhost.invalid,permitted;URI:localhost.invalid'

const usual: Readonly<Record<string, string>> = {
  basicConstraints: 'critical,CA:TRUE,pathlen:0',
  keyUsage: 'critical,keyCertSign,cRLSign',
  extendedKeyUsage: 'serverAuth',
  nameConstraints: `critical,${localNames},${loopback},${noOtherNames}`,
  subjectKeyIdentifier: 'hash',
}

/** A self-signed certificate in PEM: a CA of locald unless `options` say otherwise. */
export function certificate(options: CertificateOptions = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  try {
    const extensions = Object.entries({ ...usual, ...options.extensions }).filter(([, value]) => value !== null)
    const config = [
      '[req]\nprompt=no\nstring_mask=utf8only\ndistinguished_name=name\nx509_extensions=extensions',
      `[name]\nO=locald development CA\nCN=${options.name ?? 'locald development CA 0123abcd'}`,
      `[extensions]\n${extensions.map(([name, value]) => `${name}=${value}`).join('\n')}\n`,
    ]
    writeFileSync(join(folder, 'config'), config.join('\n'))
    const key = options.key ?? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    const words = ['req', '-x509', ...key, '-nodes', '-keyout', join(folder, 'key'), '-days', '30']
    const digest = `-${options.digest ?? 'sha256'}`
    execFileSync('openssl', [...words, digest, '-config', join(folder, 'config'), '-out', join(folder, 'pem')], {
      stdio: 'pipe',
    })
    return readFileSync(join(folder, 'pem'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
