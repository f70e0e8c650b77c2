import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { bits, decode, encode, integer, type Node, octets, oid, sequence, set, tagged, text, time, yes } from './der.ts'

/** A certificate's validity, ms since the epoch. */
export interface Validity {
  readonly from: number
  readonly to: number
}

/** A certificate's issuer: its name as in its own certificate (DER), and its key. */
export interface Issuer {
  readonly name: Buffer
  readonly key: KeyObject
}

const ecdsaWithSha256 = '1.2.840.10045.4.3.2'
const serverAuth = '1.3.6.1.5.5.7.3.1'

/** Makes a root that can certify TLS servers under the given domains and on this machine, and nothing else. DER. */
export function rootCertificate(key: KeyObject, name: Buffer, domains: readonly string[], validity: Validity): Buffer {
  return certificate({ name, key }, name, key, validity, [
    // No CA below it (RFC 5280 section 4.2.1.9).
    extension('2.5.29.19', true, sequence(yes(), integer(Buffer.of(0)))),
    // keyCertSign and cRLSign.
    extension('2.5.29.15', true, bits(Buffer.of(0x06), 1)),
    extension('2.5.29.37', false, sequence(oid(serverAuth))),
    extension('2.5.29.30', true, nameConstraints(domains)),
    extension('2.5.29.14', false, octets(keyId(key))),
  ])
}

/** Makes a TLS server's certificate for DNS names and, as bytes, IP addresses. DER. */
export function leafCertificate(
  issuer: Issuer,
  key: KeyObject,
  names: { readonly dns: readonly string[]; readonly ip?: readonly Buffer[] },
  validity: Validity,
): Buffer {
  const subject = encode(distinguishedName([organization, 'locald development certificate']))
  const alternatives = [
    ...names.dns.map(name => tagged(2, Buffer.from(name, 'latin1'))),
    ...(names.ip ?? []).map(address => tagged(7, address)),
  ]
  return certificate(issuer, subject, key, validity, [
    extension('2.5.29.19', true, sequence()),
    // digitalSignature.
    extension('2.5.29.15', true, bits(Buffer.of(0x80), 7)),
    extension('2.5.29.37', false, sequence(oid(serverAuth))),
    extension('2.5.29.17', false, sequence(...alternatives)),
    extension('2.5.29.14', false, octets(keyId(key))),
    extension('2.5.29.35', false, sequence(tagged(0, keyId(issuer.key)))),
  ])
}

const organization = '2.5.4.10'
const commonName = '2.5.4.3'

/** Returns the name of a CA, which distinguishes it from those of other users and sandboxes. DER. */
export function authorityName(common: string): Buffer {
  return encode(distinguishedName([organization, 'locald development CA'], [commonName, common]))
}

/** Returns the subject of a certificate, as DER. Throws for anything but a certificate. */
export function subjectOf(certificateDer: Buffer): Buffer {
  const [tbs] = partsOf(decode(certificateDer))
  const subject = tbs === undefined ? undefined : partsOf(tbs)[5]
  if (subject === undefined) throw new Error('not a certificate')
  return encode(subject)
}

/**
 * Returns the name constraints of RFC 5280 section 4.2.1.10. Without a permitted address every address would be
 * permitted: kinds of names that are not listed are not limited. So e-mail addresses and URIs are listed too, with a
 * name that does not exist.
 */
export function nameConstraints(domains: readonly string[]): Node {
  const permitted = [
    ...domains.map(domain => tagged(2, Buffer.from(domain, 'latin1'))),
    tagged(7, Buffer.of(127, 0, 0, 0, 255, 0, 0, 0)),
    tagged(7, Buffer.concat([loopback6, Buffer.alloc(16, 0xff)])),
    tagged(1, Buffer.from('localhost.invalid', 'latin1')),
    tagged(6, Buffer.from('localhost.invalid', 'latin1')),
  ]
  return sequence(
    tagged(
      0,
      permitted.map(base => sequence(base)),
    ),
  )
}

/** ::1 */
export const loopback6: Buffer = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
/** 127.0.0.1 */
export const loopback4: Buffer = Buffer.of(127, 0, 0, 1)

export function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function certificate(
  issuer: Issuer,
  subject: Buffer,
  key: KeyObject,
  validity: Validity,
  extensions: readonly Node[],
): Buffer {
  const algorithm = (): Node => sequence(oid(ecdsaWithSha256))
  const body = encode(
    sequence(
      tagged(0, [integer(Buffer.of(2))]),
      integer(serial()),
      algorithm(),
      decode(issuer.name),
      sequence(time(validity.from), time(validity.to)),
      decode(subject),
      decode(createPublicKey(key).export({ type: 'spki', format: 'der' })),
      tagged(3, [sequence(...extensions)]),
    ),
  )
  return encode(sequence(decode(body), algorithm(), bits(sign('sha256', body, issuer.key))))
}

/** Returns 127 random bits: positive, unique, never zero (RFC 5280 section 4.1.2.2). */
function serial(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

function extension(id: string, critical: boolean, value: Node): Node {
  return sequence(oid(id), ...(critical ? [yes()] : []), octets(encode(value)))
}

function distinguishedName(...parts: readonly (readonly [string, string])[]): Node {
  return sequence(...parts.map(([type, value]) => set(sequence(oid(type), text(value)))))
}

/** Returns the key identifier of RFC 7093 method 1: the first 160 bits of SHA-256 of the public key. */
function keyId(key: KeyObject): Buffer {
  const point = partsOf(decode(createPublicKey(key).export({ type: 'spki', format: 'der' })))[1]
  const content = point === undefined ? Buffer.alloc(0) : encode(point)
  return createHash('sha256').update(content).digest().subarray(0, 20)
}

function partsOf(node: Node): readonly Node[] {
  return Array.isArray(node.value) ? node.value : []
}
