/**
 * The paths of locald-shim, for what installs it (cli/) and calls it (plugins/). Compiled into the helper as well:
 * paths.h.
 */
export interface HelperPaths {
  /** Where the helper may be, best first: another one where users other than root may write to a folder on the way. */
  readonly shims: readonly string[]
  /** Folder of the list of who may call it. */
  readonly conf: string
  readonly hosts: string
  /** Folders of certificates with the files of users: `locald-<uid>-<serial>.crt`. */
  readonly anchors: readonly string[]
  /** Folders of cgroups, a subfolder for each user. */
  readonly slices: readonly string[]
  /** The keychain with the certificates of all users, and the system's program that reads it. */
  readonly keychain?: { readonly file: string; readonly security: string }
}

export const linuxPaths = {
  shims: ['/usr/local/libexec/locald/locald-shim', '/opt/locald/locald-shim'],
  conf: '/etc/locald',
  hosts: '/etc/hosts',
  anchors: [
    '/etc/ssl/certs',
    '/usr/local/share/ca-certificates',
    '/etc/pki/ca-trust/source/anchors',
    '/etc/ca-certificates/trust-source/anchors',
    '/etc/pki/trust/anchors',
  ],
  slices: ['/sys/fs/cgroup/locald.slice', '/sys/fs/cgroup/unified/locald.slice'],
} as const satisfies HelperPaths

export const darwinPaths = {
  shims: ['/Library/PrivilegedHelperTools/locald-shim'],
  conf: '/private/etc/locald',
  hosts: '/private/etc/hosts',
  anchors: [],
  slices: [],
  keychain: { file: '/Library/Keychains/System.keychain', security: '/usr/bin/security' },
} as const satisfies HelperPaths

/**
 * Name of the list of who may call the helper: a line `uid N` each; a comment `# ports only` for an install with
 * capabilities.
 */
export const confName = 'shim.conf'

/** Returns the paths on an operating system. */
export function helperPaths(os: NodeJS.Platform): HelperPaths {
  return os === 'darwin' ? darwinPaths : linuxPaths
}
