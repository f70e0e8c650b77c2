import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { chmodSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readTextFileNow } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'
import { writeAtomic } from '../../lib/files.ts'
import { encode } from './der.ts'
import { authorityName, type Issuer, nameConstraints, pem, rootCertificate, subjectOf } from './x509.ts'

const day = 86_400_000
const rootDays = 3650
/** A root that expires sooner is replaced at the next start, so that no leaf outlives it. */
const leastDays = 120
const names = { root: 'root.pem', key: 'root.key', retired: /^retired-[0-9a-f]{16}\.pem$/ }

/** The local CA: its root's file, and what is needed to sign with it. */
export interface Authority {
  /** PEM file of the root. */
  readonly file: string
  readonly certificate: X509Certificate
  readonly issuer: Issuer
}

/** The root on disk. */
export interface Root {
  readonly file: string
  readonly certificate: X509Certificate
  /** The first 16 hex digits of the certificate's SHA-256: part of its name in stores. */
  readonly id: string
}

/**
 * Opens the CA in a folder; creates one when there is none, or when it is broken, about to expire, or limited to other
 * domains. Throws the file system's errors.
 */
export function openAuthority(folder: string, domains: readonly string[], now = Date.now()): Authority {
  const found = loadAuthority(folder, domains, now)
  if (found !== undefined) return found
  keepRetiredRoot(folder)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = authorityName(`locald development CA ${randomBytes(4).toString('hex')}`)
  const root = rootCertificate(privateKey, name, domains, { from: now - day, to: now + rootDays * day })
  // The key first: a root without a key would be trusted for nothing.
  writeAtomic(join(folder, names.key), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  writeAtomic(join(folder, names.root), pem(root), { mode: 0o644 })
  return { file: join(folder, names.root), certificate: new X509Certificate(root), issuer: { name, key: privateKey } }
}

/** Reads the root in a folder; undefined when there is none that can be read. */
export function readRoot(folder: string): Root | undefined {
  return readCertificate(join(folder, names.root))
}

/** Returns replaced roots of this folder, which may still be in stores. Their keys are deleted. */
export function retiredRoots(folder: string): readonly Root[] {
  return entriesOf(folder)
    .filter(name => names.retired.test(name))
    .map(name => readCertificate(join(folder, name)))
    .filter(root => root !== undefined)
}

/** Deletes a retired root, after its removal from the stores. */
export function forgetRoot(root: Root): void {
  rmSync(root.file, { force: true })
}

/** Returns what is wrong with the key's file: undefined when only its owner may read it. */
export function findKeyProblem(folder: string): string | undefined {
  const file = join(folder, names.key)
  try {
    const mode = statSync(file).mode & 0o777
    return (mode & 0o077) === 0 ? undefined : `${file} can be read by others (mode ${mode.toString(8)})`
  } catch (error) {
    return `${file} cannot be used (${systemCode(error) ?? 'unknown error'})`
  }
}

function loadAuthority(folder: string, domains: readonly string[], now: number): Authority | undefined {
  const root = readRoot(folder)
  const key = readKey(join(folder, names.key))
  if (root === undefined || key === undefined || !root.certificate.checkPrivateKey(key)) return undefined
  const { raw, validTo } = root.certificate
  if (Date.parse(validTo) < now + leastDays * day || !raw.includes(encode(nameConstraints(domains)))) return undefined
  return { file: root.file, certificate: root.certificate, issuer: { name: subjectOf(raw), key } }
}

function readCertificate(file: string): Root | undefined {
  try {
    const certificate = new X509Certificate(readTextFileNow(file) ?? '')
    const id = certificate.fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase()
    return { file, certificate, id }
  } catch {
    return undefined
  }
}

function readKey(file: string): KeyObject | undefined {
  try {
    chmodSync(file, 0o600)
    return createPrivateKey(readTextFileNow(file) ?? '')
  } catch {
    return undefined
  }
}

/** Keeps a root that is replaced, so that `untrust` finds it in the stores. */
function keepRetiredRoot(folder: string): void {
  const root = readRoot(folder)
  if (root !== undefined)
    writeAtomic(join(folder, `retired-${root.id}.pem`), root.certificate.toString(), { mode: 0o644 })
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
