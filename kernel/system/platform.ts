import type { PlatformFacts } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'

/**
 * Returns the platform the daemon works as: the machine's, or for tests that of LOCALD_PLATFORM, which only a sandbox
 * may set (PLATFORM_OVERRIDE). The only place that reads the platform from Node.
 */
export function platformOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): NodeJS.Platform {
  const given = env['LOCALD_PLATFORM']
  if (given === undefined || given === '' || given === process.platform) return process.platform
  if (sandbox === undefined) {
    throw new LocaldError('PLATFORM_OVERRIDE', 'LOCALD_PLATFORM is only for sandboxes', {
      hint: 'Add --sandbox NAME, or unset LOCALD_PLATFORM.',
    })
  }
  if (given !== 'darwin' && given !== 'linux') {
    throw new LocaldError('PLATFORM_OVERRIDE', `LOCALD_PLATFORM is '${given}'`, { hint: 'Set it to linux or darwin.' })
  }
  return given
}

/**
 * Returns the major release of the platform's kernel, or for tests that of LOCALD_PLATFORM_RELEASE, which only a
 * sandbox may set (PLATFORM_OVERRIDE); 0 where it is unknown. That of Darwin is the version of macOS since 27 (24 was
 * macOS 15, 25 was 26; sindresorhus/macos-release#21). Not from SystemVersion.plist: its 26 is 16 for a Node.js built
 * by an earlier Xcode (python/cpython#135675), which kern.osrelease of XNU is not.
 */
export function releaseOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): number {
  const given = env['LOCALD_PLATFORM_RELEASE']
  const isGiven = given !== undefined && given !== ''
  if (isGiven && sandbox === undefined) {
    throw new LocaldError('PLATFORM_OVERRIDE', 'LOCALD_PLATFORM_RELEASE is only for sandboxes', {
      hint: 'Add --sandbox NAME, or unset LOCALD_PLATFORM_RELEASE.',
    })
  }
  if (!isGiven && platformOf(env, sandbox) !== process.platform) return 0
  const text = isGiven ? given : process.getBuiltinModule('node:os').release()
  return Number(/^\d+/.exec(text)?.[0] ?? 0)
}

/** Returns the facts of this machine and user. */
export function factsOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): PlatformFacts {
  return {
    os: platformOf(env, sandbox),
    release: releaseOf(env, sandbox),
    arch: process.arch,
    uid: process.getuid?.() ?? 0,
  }
}

/** Returns the machine of this Node, as in the names of the packages of native programs: `linux-x64`. */
export function machineName(): string {
  return `${process.platform}-${process.arch}`
}

/**
 * Returns the other kind of machine whose programs this one runs, which another Node may have installed: a Mac with an
 * Apple processor runs programs for both, and may have a Node for each. Undefined where there is none. Tests set
 * `machine` and `processor`.
 */
export function otherMachineName(
  machine: string = machineName(),
  processor: string = process.getBuiltinModule('node:os').cpus()[0]?.model ?? '',
): string | undefined {
  // `Apple M2`; `VirtualApple @ 2.50GHz processor` for a translated program.
  if (!processor.includes('Apple')) return undefined
  return { 'darwin-x64': 'darwin-arm64', 'darwin-arm64': 'darwin-x64' }[machine]
}
