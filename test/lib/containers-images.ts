/** Images made from this machine's Debian packages, as archives that every engine loads; no registry is needed. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { root } from './user.ts'

/** What an image is made of. */
interface Recipe {
  /** Applets of busybox; absent: all of them. */
  readonly applets?: readonly string[]
  /** Programs of this machine, with the libraries they need. */
  readonly programs?: readonly string[]
  /** Files by their paths; those in /bin are executable. */
  readonly files?: Readonly<Record<string, string>>
  /** As in the image specification of Docker. */
  readonly config: Readonly<Record<string, unknown>>
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** ns */
const second = 1_000_000_000

const recipes = {
  /** A shell with all applets, that exits at once without a command. */
  busybox: { config: { Cmd: ['sh'] } },
  /** Answers `hello from web` on port 80. */
  web: {
    files: { '/www/index.html': 'hello from web\n' },
    config: { Cmd: ['httpd', '-f', '-p', '80', '-h', '/www'], ExposedPorts: { '80/tcp': {} } },
  },
  /** The same without any shell. */
  bare: {
    applets: ['httpd'],
    files: { '/www/index.html': 'hello from bare\n' },
    config: { Cmd: ['/bin/httpd', '-f', '-p', '80', '-h', '/www'] },
  },
  /** Redis as its own image has it: a volume for its data, port 6379, no password. */
  redis: {
    programs: ['/usr/bin/redis-server', '/usr/bin/redis-cli'],
    config: {
      Cmd: ['redis-server', '--protected-mode', 'no', '--dir', '/data', '--save', '60 1'],
      ExposedPorts: { '6379/tcp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/data',
    },
  },
  /** Serves on port 80 from the start; healthy while /tmp/healthy exists, which it makes after a second. */
  healthcheck: {
    files: { '/www/index.html': 'hello from healthcheck\n' },
    config: {
      Cmd: ['sh', '-c', '(sleep 1; touch /tmp/healthy) & exec httpd -f -p 80 -h /www'],
      Healthcheck: { Test: ['CMD-SHELL', 'test -e /tmp/healthy'], Interval: second, Timeout: 5 * second, Retries: 2 },
    },
  },
  /** Prints its arguments, user, working directory and environment, then serves them on port 8080. */
  entry: {
    files: {
      '/bin/entry': `#!/bin/sh
mkdir -p /tmp/www
{ for word; do echo "arg $word"; done; echo "user $(id -u)"; echo "folder $(pwd)"; env | sort; } >/tmp/www/index.html
cat /tmp/www/index.html
exec httpd -f -p 8080 -h /tmp/www
`,
      '/srv/app/readme': 'in the image\n',
    },
    config: {
      Entrypoint: ['entry'],
      Cmd: ['one', 'two words'],
      User: 'app',
      WorkingDir: '/srv/app',
      Volumes: { '/srv/data': {} },
      Env: [path, 'FROM_IMAGE=yes'],
    },
  },
  /** Ignores SIGTERM; prints `ready`. */
  stubborn: { config: { Cmd: ['sh', '-c', "trap '' TERM; echo ready; while :; do sleep 1; done"] } },
  /** Prints a line on each of its outputs and exits with $CODE, 0 without one. */
  exits: { config: { Cmd: ['sh', '-c', 'echo out; echo err >&2; exit $((CODE))'] } },
  /** Takes memory until it is killed. */
  hungry: { config: { Cmd: ['sh', '-c', 'exec tail /dev/zero'] } },
} satisfies Readonly<Record<string, Recipe>>

/** Images that tests may load. */
export type ImageName = keyof typeof recipes

/** Its reference. */
export function imageReference(name: ImageName): string {
  return `localhost/locald-${name}:1`
}

/** An archive of the image for `podman load` or `docker load`; made when this machine has none yet. */
export function imageArchive(name: ImageName): string {
  const recipe: Recipe = recipes[name]
  const archive = join(root, 'build', 'containers', `${name}-${keyOf(recipe)}.tar`)
  if (!existsSync(archive)) make(imageReference(name), recipe, archive)
  return archive
}

const busybox = '/bin/busybox'

/** Changes with the recipe and with each program, which a package's new version replaces. */
function keyOf(recipe: Recipe): string {
  const programs = [busybox, ...(recipe.programs ?? [])].map(file => {
    const { size, mtimeMs } = statSync(file)
    return [file, size, mtimeMs]
  })
  return hashOf(JSON.stringify([recipe, programs])).slice(0, 12)
}

function make(reference: string, recipe: Recipe, archive: string): void {
  mkdirSync(dirname(archive), { recursive: true })
  const folder = mkdtempSync(`${archive}.`)
  try {
    const layer = join(folder, 'layer.tar')
    layFiles(join(folder, 'rootfs'), recipe)
    pack(join(folder, 'rootfs'), layer, ['.'])
    const config = JSON.stringify(describe(recipe, hashOf(readFileSync(layer))))
    const name = `${hashOf(config)}.json`
    writeFileSync(join(folder, name), config)
    const manifest = [{ Config: name, RepoTags: [reference], Layers: ['layer.tar'] }]
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
    pack(folder, `${folder}.done`, ['manifest.json', name, 'layer.tar'])
    // Another test file may have made the same.
    renameSync(`${folder}.done`, archive)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function layFiles(rootfs: string, recipe: Recipe): void {
  for (const folder of ['bin', 'etc', 'tmp', 'root', 'data']) mkdirSync(join(rootfs, folder), { recursive: true })
  for (const folder of ['tmp', 'data']) chmodSync(join(rootfs, folder), 0o1777)
  const lay = (to: string, text: string): void => {
    const file = join(rootfs, to)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: to.startsWith('/bin/') ? 0o755 : 0o644 })
  }
  lay('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/srv/app:/bin/sh\n')
  lay('/etc/group', 'root:x:0:\napp:x:1000:\n')
  if (recipe.applets === undefined) copyFileSync(busybox, join(rootfs, 'bin', 'busybox'))
  for (const applet of recipe.applets ?? applets()) {
    if (recipe.applets === undefined) symlinkSync('busybox', join(rootfs, 'bin', applet))
    else copyFileSync(busybox, join(rootfs, 'bin', applet))
  }
  for (const program of recipe.programs ?? []) copyFileSync(program, join(rootfs, 'bin', basename(program)))
  for (const library of [busybox, ...(recipe.programs ?? [])].flatMap(librariesOf)) {
    mkdirSync(join(rootfs, dirname(library)), { recursive: true })
    copyFileSync(library, join(rootfs, library))
  }
  for (const [to, text] of Object.entries(recipe.files ?? {})) lay(to, text)
}

function describe(recipe: Recipe, layer: string): unknown {
  return {
    created: '2024-01-01T00:00:00Z',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: [path], ...recipe.config },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    history: [{ created: '2024-01-01T00:00:00Z', created_by: 'a test of locald' }],
  }
}

function applets(): readonly string[] {
  return output(busybox, ['--list']).filter(applet => applet !== 'busybox' && /^[\w[-]+$/.test(applet))
}

/**
 * Returns paths of shared libraries and their loader (`libc.so.6 => /lib/…/libc.so.6 (0x…)`, `/lib64/ld-linux…
 * (0x…)`), none of a static program.
 */
function librariesOf(program: string): readonly string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' })
  return stdout.split('\n').flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}

function pack(from: string, archive: string, names: readonly string[]): void {
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0']
  output('tar', [...same, '-C', from, '-cf', archive, ...names])
}

function output(program: string, args: readonly string[]): readonly string[] {
  const ran = spawnSync(program, args, { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${ran.error?.message ?? ran.stderr}`)
  return ran.stdout.split('\n').filter(line => line !== '')
}

function hashOf(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}
