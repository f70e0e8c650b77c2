import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerSandbox } from '../lib/containers.ts'

/** Programs that the images of the corpus have: each is the stand-in, by another name. */
const programs =
  'air bundle celery docker-php-entrypoint flask gunicorn mc minio node npm php-fpm python rails redis-server'.split(
    ' ',
  )
/** Programs that succeed at once. */
const checks = 'curl mc mysqladmin pg_isready redis-cli'.split(' ')

/** Serves a page on each port that is in /www, whatever it is called. */
const standIn = `#!/bin/sh
case " $* " in *' migrate '*|*' install '*) exit 0 ;; esac
for port in $(ls /www); do httpd -p "$port" -h "/www/$port" 2>/dev/null; done
echo "serving as \${0##*/} $*"
trap 'exit 0' TERM INT
sleep 100000 &
wait
`

/** As the entry points of many images: flags and unknown words are for the image's own program. */
const entryPoint = `#!/bin/sh
case "$1" in ''|-*) exec stand-in "$@" ;; esac
command -v "$1" >/dev/null && exec "$@"
exec stand-in "$@"
`

/**
 * Gives the engine an image that serves \`port N\` as a web page on each of the ports, under all of these names: what a
 * compose file expects of PostgreSQL, Redis and others as far as a port is concerned.
 */
export async function tagStandIns(
  sandbox: ContainerSandbox,
  ports: readonly number[],
  names: readonly string[],
): Promise<void> {
  const base = await sandbox.image('busybox')
  const context = sandbox.project('stand-in', {
    Dockerfile: `FROM ${base}\nCOPY root/ /\nENTRYPOINT ["entry-point"]\nCMD ["stand-in"]\n`,
    'root/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/tmp:/bin/sh\n',
    ...Object.fromEntries(ports.map(port => [`root/www/${port}/index.html`, `port ${port}`])),
  })
  const bin = join(context, 'root', 'bin')
  for (const [name, text] of Object.entries({ 'stand-in': standIn, 'entry-point': entryPoint, succeed: '#!/bin/sh\n' }))
    sandbox.write(join(bin, name), text, 0o755)
  for (const program of programs) if (!checks.includes(program)) symlinkSync('stand-in', join(bin, program))
  for (const program of checks) symlinkSync('succeed', join(bin, program))
  const tags = names.flatMap(name => ['--tag', fullName(name)])
  await sandbox.ask('build', '--quiet', ...tags, context)
}

/** Returns the name that engines complete a short one to. */
function fullName(image: string): string {
  const name = image.includes('/') ? image : `library/${image}`
  return `docker.io/${name.includes(':') ? name : `${name}:latest`}`
}
