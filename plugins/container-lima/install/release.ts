/** A release file of Lima. */
export interface Release {
  readonly version: string
  readonly url: string
  /** Of the file, hex. */
  readonly sha256: string
}

/** The release that `locald vm install` installs. */
export const releaseVersion = '2.2.0'

/**
 * The SHA-256 of its files, by the names that `uname` gives system and processor. They are in the source, as a list that
 * is downloaded beside the file would only find accidents.
 */
const hashes: Readonly<Record<string, string>> = {
  'Darwin-arm64': 'bbdef91774885a0d05f7b048c4eb89ae2bcf3a0c252ae7ca7934e63df76d93c3',
  'Darwin-x86_64': '0d6f99c19f6e4bc3c92730c4c29d929e6927f0cb0a0ba1a84383367135a8ff31',
  'Linux-aarch64': '7c6a09c6844f55f811e9b7b2b60a6070a512c696c8ec752dfdb3c8ed50ed0364',
  'Linux-x86_64': 'a0ea1ccf6b7335a900adb5f8d2b8384457965fecb1ba72f09b4e3e46d12f424a',
}

/** Returns the release for a machine, by Node's names of systems and processors; undefined where there is none. */
export function releaseFor(os: string, arch: string): Release | undefined {
  const system = { darwin: 'Darwin', linux: 'Linux' }[os]
  const processor = { x64: 'x86_64', arm64: os === 'darwin' ? 'arm64' : 'aarch64' }[arch]
  const key = `${system}-${processor}`
  const sha256 = hashes[key]
  if (sha256 === undefined) return undefined
  const file = `lima-${releaseVersion}-${key}.tar.gz`
  const url = `https://github.com/lima-vm/lima/releases/download/v${releaseVersion}/${file}`
  return { version: releaseVersion, url, sha256 }
}
