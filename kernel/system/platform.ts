import type { PlatformFacts } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'

/**
 * The platform the daemon works as: the machine's, or for tests what LOCALD_PLATFORM says, which only a sandbox may do
 * (PLATFORM_OVERRIDE). The one place that asks Node; all else is told.
 */
export function platformOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): NodeJS.Platform {
  const told = env['LOCALD_PLATFORM']
  if (told === undefined || told === '' || told === process.platform) return process.platform
  if (sandbox === undefined) {
    throw new LocaldError('PLATFORM_OVERRIDE', 'LOCALD_PLATFORM is only for sandboxes', {
      hint: 'Add --sandbox NAME, or unset LOCALD_PLATFORM.',
    })
  }
  if (told !== 'darwin' && told !== 'linux') {
    throw new LocaldError('PLATFORM_OVERRIDE', `LOCALD_PLATFORM is '${told}'`, { hint: 'It may be linux or darwin.' })
  }
  return told
}

/**
 * The major release of the platform's kernel, or for tests what LOCALD_PLATFORM_RELEASE says, which only a sandbox may do
 * (PLATFORM_OVERRIDE); 0 where it is not known. That of Darwin is the version of macOS since 27 (24 was macOS 15, 25 was 26;
 * sindresorhus/macos-release#21). Not from SystemVersion.plist: its 26 is 16 for a Node.js built by an earlier Xcode
 * (python/cpython#135675), which kern.osrelease of XNU is not.
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

/** The facts of this machine and user. */
export function factsOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): PlatformFacts {
  return {
    os: platformOf(env, sandbox),
    release: releaseOf(env, sandbox),
    arch: process.arch,
    uid: process.getuid?.() ?? 0,
  }
}

/** The machine that this Node is for, as the packages of native programs are named: `linux-x64`. */
export function machineName(): string {
  return `${process.platform}-${process.arch}`
}

/**
 * What else this machine can run, such as what another Node has installed: a Mac with a processor of Apple's runs programs for both, and
 * may have a Node for each. Undefined: nothing else. `machine`, `processor`: but for tests, this one's.
 */
export function otherMachineName(
  machine: string = machineName(),
  processor: string = process.getBuiltinModule('node:os').cpus()[0]?.model ?? '',
): string | undefined {
  // `Apple M2`; `VirtualApple @ 2.50GHz processor` for a program that is translated.
  if (!processor.includes('Apple')) return undefined
  return { 'darwin-x64': 'darwin-arm64', 'darwin-arm64': 'darwin-x64' }[machine]
}
