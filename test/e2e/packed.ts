/** What the programs in the packages must be, read from their heads. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { type MachO, machOs } from '../lib/macho.ts'

/** Machines that there are packages for. */
export const targets = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'] as const
export type Target = (typeof targets)[number]

/** The programs for one of them. */
export function programsFor(target: Target): readonly string[] {
  const own = target.startsWith('linux') ? 'locald-native.node' : 'locald-keychain'
  return ['locald-keeper', 'locald-shim', own]
}

/** Checks a program, or a module of Node.js, for a machine. */
export function checkProgram(t: Test, path: string, program: string, target: Target): void {
  const file = readFileSync(path)
  const name = `${program} for ${target}`
  if (target === 'linux-x64' || target === 'linux-arm64') {
    t.match(elfOf(file), elf(program, target), name)
    return
  }
  const [found, ...others] = machOs(file)
  t.strictSame(others, [], `${name} is for one processor`)
  const { uuid, ...rest } = found ?? { uuid: undefined }
  t.strictSame(rest, mac(program, target), name)
  t.match(uuid, /^(?!0+$)[0-9a-f]{32}$/, `${name} has a UUID, without which dyld of macOS 26 does not load it`)
}

/** Checks that a tarball has programs that can be run. */
export function checkModes(t: Test, tarball: string, target: Target): void {
  const listed = spawnSync('tar', ['-tvzf', tarball], { encoding: 'utf8' }).stdout
  for (const program of programsFor(target))
    t.match(listed, new RegExp(`^-rwxr-xr-x .* package/${program}$`, 'm'), `${program} for ${target} can be run`)
}

/**
 * A program of macOS 13 or later, of nothing but Apple's own libraries; signed by the linker where only what is signed
 * is run.
 */
function mac(program: string, target: 'darwin-x64' | 'darwin-arm64'): Omit<MachO, 'uuid'> {
  const isArm = target === 'darwin-arm64'
  const frameworks = program === 'locald-keeper' ? [] : ['Security', 'CoreFoundation']
  return {
    cpu: isArm ? 'arm64' : 'x64',
    isPositionFree: true,
    hasExecutableStack: false,
    libraries: [
      ...frameworks.map(name => `/System/Library/Frameworks/${name}.framework/Versions/A/${name}`),
      '/usr/lib/libSystem.B.dylib',
    ],
    paths: [],
    oldest: '13.0',
    // CS_ADHOC and CS_LINKER_SIGNED
    signature: isArm ? 0x20002 : undefined,
    isIntact: isArm,
  }
}

function elf(program: string, target: 'linux-x64' | 'linux-arm64') {
  return {
    cpu: target === 'linux-x64' ? 62 : 183,
    // A module is loaded by Node, and needs no loader of its own.
    isStatic: true,
    isModule: program.endsWith('.node'),
    hasExecutableStack: false,
  }
}

/** ELF of 64 bits: elf(5). */
function elfOf(file: Buffer): ReturnType<typeof elf> | string {
  if (file.readUInt32BE(0) !== 0x7f454c46) return 'not an ELF file'
  const [at, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)]
  const parts = Array.from({ length: count }, (_, index) => ({
    type: file.readUInt32LE(at + index * size),
    flags: file.readUInt32LE(at + index * size + 4),
  }))
  const has = (type: number) => parts.some(part => part.type === type)
  const [interpreter, dynamic, stack] = [3, 2, 0x6474e551]
  return {
    cpu: file.readUInt16LE(18),
    isStatic: !has(interpreter),
    isModule: has(dynamic),
    hasExecutableStack: parts.find(({ type }) => type === stack)?.flags !== 6,
  }
}
