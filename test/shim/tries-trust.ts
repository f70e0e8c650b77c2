/** Tries with certificates that no machine should trust. */
import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { certificate, localNames, loopback } from '../lib/certificates.ts'
import { moved, type Try } from './tries.ts'

/** What is to be trusted, and the store. */
export const stores: readonly Try[] = [
  { name: 'no certificate', input: 'hello\n', code: 40, says: /not one certificate in PEM/ },
  { name: 'nothing to trust', input: '', code: 40, says: /not one certificate in PEM/ },
  { name: 'two certificates', made: () => certificate() + certificate(), code: 40, says: /not one certificate in PEM/ },
  {
    name: 'a certificate and more',
    made: () => `${certificate()}uid 0\n`,
    code: 40,
    says: /not one certificate in PEM/,
  },
  { name: 'words before it', made: () => `x\n${certificate()}`, code: 40, says: /not one certificate in PEM/ },
  {
    name: 'a private key',
    made: () => certificate().replaceAll('CERTIFICATE', 'PRIVATE KEY'),
    code: 40,
    says: /not one/,
  },
  {
    name: 'PEM of no certificate',
    made: () => pemOf(Buffer.from('hello')),
    code: 41,
    says: /not an X.509 certificate/,
  },
  {
    name: 'a certificate cut short',
    made: () => pemOf(derOf(certificate()).subarray(0, 300)),
    code: 41,
    says: /not an X.509/,
  },
  {
    name: 'bytes behind the certificate',
    made: () => pemOf(Buffer.concat([derOf(certificate()), Buffer.of(5, 0)])),
    code: 41,
    says: /not an X.509/,
  },
  { name: 'a foreign CA', made: () => certificate({ name: 'Evil Root' }), code: 41, says: /not a CA of locald/ },
  {
    name: 'a CA without constraints',
    made: () => certificate({ extensions: { nameConstraints: null } }),
    code: 41,
    says: /has no name constraints/,
  },
  {
    name: 'constraints that are not critical',
    ...constrained(`${localNames},${loopback}`),
    code: 41,
    says: /not critical/,
  },
  {
    name: 'a CA for example.com',
    ...constrained(`critical,${localNames},permitted;DNS:example.com,${loopback}`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA for all of com',
    ...constrained(`critical,permitted;DNS:com,${loopback}`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA for a name with the same ending',
    ...constrained(`critical,permitted;DNS:eviltest,${loopback}`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA for all DNS names, by silence',
    ...constrained(`critical,${loopback}`),
    code: 41,
    says: /permit any DNS name/,
  },
  {
    name: 'a CA for all addresses, by silence',
    ...constrained(`critical,${localNames}`),
    code: 41,
    says: /permit any IP address/,
  },
  {
    name: 'a CA for an address',
    ...constrained(`critical,${localNames},permitted;IP:8.8.8.8/255.255.255.255`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA for half of all addresses',
    ...constrained(`critical,${localNames},permitted;IP:127.0.0.0/128.0.0.0`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA that only excludes',
    ...constrained('critical,excluded;DNS:example.com'),
    code: 41,
    says: /also exclude names/,
  },
  {
    name: 'a CA for addresses of IPv6',
    ...constrained(`critical,${localNames},permitted;IP:127.0.0.0/255.0.0.0`),
    code: 41,
    says: /permit any IP address of one family/,
  },
  {
    name: 'a CA for addresses of IPv4',
    ...constrained(`critical,${localNames},permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`),
    code: 41,
    says: /permit any IP address of one family/,
  },
  {
    name: 'a CA for addresses that are only excluded',
    ...constrained(`critical,${localNames},excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::`),
    code: 41,
    says: /also exclude names/,
  },
  {
    name: 'a CA for the addresses of a mask that is no prefix',
    ...constrained(`critical,${localNames},${loopback.replace('255.0.0.0', '255.0.255.0')}`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA for a name with an empty label',
    ...constrained(`critical,permitted;DNS:.localhost,${loopback}`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA for URIs of a name with a NUL',
    ...constrained(`critical,${localNames},${loopback},permitted;URI:example.com%.invalid`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a CA for mail',
    ...constrained(`critical,${localNames},${loopback},permitted;email:example.com`),
    code: 41,
    says: /permit more than local names/,
  },
  {
    name: 'a certificate of a server',
    made: () =>
      certificate({
        extensions: { basicConstraints: 'critical,CA:FALSE', keyUsage: 'critical,digitalSignature' },
      }),
    code: 41,
    says: /not marked as a CA/,
  },
  {
    name: 'a CA that may not sign',
    made: () => certificate({ extensions: { keyUsage: 'critical,digitalSignature' } }),
    code: 41,
    says: /not marked as a CA/,
  },
  {
    name: 'a CA for programs and mail',
    made: () => certificate({ extensions: { extendedKeyUsage: 'serverAuth,codeSigning' } }),
    code: 41,
    says: /not limited to TLS servers/,
  },
  {
    name: 'a CA for everything',
    made: () => certificate({ extensions: { extendedKeyUsage: null } }),
    code: 41,
    says: /not limited to TLS servers/,
  },
  {
    name: 'an unknown extension',
    made: () => certificate({ extensions: { '1.2.3.4': 'critical,DER:0500' } }),
    code: 41,
    says: /unexpected extension/,
  },
  {
    name: 'an RSA key of 1024 bits',
    made: () => certificate({ key: ['-newkey', 'rsa:1024'] }),
    code: 41,
    says: /key is too weak/,
  },
  {
    name: 'a key on another curve',
    made: () => certificate({ key: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] }),
    code: 41,
    says: /key is too weak/,
  },
  {
    name: 'a signature by SHA-1',
    made: () => certificate({ digest: 'sha1' }),
    code: 41,
    says: /signature algorithm is too weak/,
  },
  {
    name: 'a store that is not there',
    made: () => certificate(),
    before: it => rmSync(join(it.root, 'usr/sbin'), { recursive: true }),
    code: 42,
    says: /no known certificate store/,
  },
  {
    name: 'a program of the user’s',
    made: () => certificate(),
    before: it => it.give(join(it.root, 'usr/bin/openssl')),
    code: 42,
    says: /not owned by root/,
  },
  {
    name: 'a store that is the user’s',
    made: () => certificate(),
    before: it => it.give(it.certs),
    code: 42,
    says: /not owned by root/,
  },
  {
    name: 'a bundle that is a link',
    made: () => certificate(),
    before: it => moved(it.bundle, symlinkSync),
    code: 42,
    says: /it is a link/,
  },
  {
    name: 'no bundle',
    made: () => certificate(),
    before: it => rmSync(it.bundle),
    code: 42,
    says: /there is no bundle/,
  },
]

function constrained(nameConstraints: string): { readonly made: () => string } {
  return { made: () => certificate({ extensions: { nameConstraints } }) }
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
