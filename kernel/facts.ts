import { LocaldError } from './errors.ts'
import type { PlatformFacts } from './plugin.ts'

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

/** The facts of this machine and user. */
export function factsOf(env: NodeJS.ProcessEnv, sandbox: string | undefined): PlatformFacts {
  return { os: platformOf(env, sandbox), arch: process.arch, uid: process.getuid?.() ?? 0 }
}

/** The npm package with the native programs for the machine that this really is. */
export function nativePackage(): string {
  return `@locald/native-${process.platform}-${process.arch}`
}
