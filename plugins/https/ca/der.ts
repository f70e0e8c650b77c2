import type forge from 'node-forge'
// The whole of node-forge takes 35 ms to load, its ASN.1 layer 4.
import asn1 from 'node-forge/lib/asn1.js'

/** A node of an ASN.1 tree. */
export type Node = forge.asn1.Asn1

const { Class, Type } = asn1

/** A node's content: bytes, or its children. */
type Content = Buffer | readonly Node[]

function node(tagClass: forge.asn1.Class, type: forge.asn1.Type, content: Content): Node {
  if (Buffer.isBuffer(content)) return asn1.create(tagClass, type, false, content.toString('latin1'))
  return asn1.create(tagClass, type, true, [...content])
}

export const sequence = (...nodes: readonly Node[]): Node => node(Class.UNIVERSAL, Type.SEQUENCE, nodes)
export const set = (...nodes: readonly Node[]): Node => node(Class.UNIVERSAL, Type.SET, nodes)
export const octets = (content: Buffer): Node => node(Class.UNIVERSAL, Type.OCTETSTRING, content)
export const text = (content: string): Node => node(Class.UNIVERSAL, Type.UTF8, Buffer.from(content))
export const oid = (dotted: string): Node =>
  node(Class.UNIVERSAL, Type.OID, Buffer.from(asn1.oidToDer(dotted).getBytes(), 'latin1'))
export const yes = (): Node => node(Class.UNIVERSAL, Type.BOOLEAN, Buffer.of(0xff))
/** A positive INTEGER, given big-endian. */
export const integer = (bytes: Buffer): Node => node(Class.UNIVERSAL, Type.INTEGER, bytes)
/** A BIT STRING; `unused` bits of its last byte do not count. */
export const bits = (content: Buffer, unused = 0): Node =>
  node(Class.UNIVERSAL, Type.BITSTRING, Buffer.concat([Buffer.of(unused), content]))
/** A context-specific tag around content or nodes. */
export const tagged = (tag: number, content: Content): Node => node(Class.CONTEXT_SPECIFIC, tag, content)

/** Encodes a time by RFC 5280 section 4.1.2.5: two-digit years until 2049, four digits from then on. */
export function time(ms: number): Node {
  const date = new Date(Math.floor(ms / 1000) * 1000)
  const late = date.getUTCFullYear() >= 2050
  const content = late ? asn1.dateToGeneralizedTime(date) : asn1.dateToUtcTime(date)
  return node(Class.UNIVERSAL, late ? Type.GENERALIZEDTIME : Type.UTCTIME, Buffer.from(content, 'latin1'))
}

export function encode(tree: Node): Buffer {
  return Buffer.from(asn1.toDer(tree).getBytes(), 'latin1')
}

/** Throws for anything but DER. */
export function decode(der: Buffer): Node {
  return asn1.fromDer(der.toString('latin1'))
}
