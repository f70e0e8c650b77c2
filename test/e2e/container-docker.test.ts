import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isOwnEngine, noContainers } from '../lib/containers.ts'
import { unable } from '../lib/private-machine.ts'
import { root } from '../lib/user.ts'

/** The tests that are run with Docker, too; at night all. */
const files =
  process.env['LOCALD_NIGHTLY'] === '1'
    ? [
        'container',
        'container-health',
        'container-host-access',
        'container-life',
        'container-names',
        'container-pull',
        'container-survive',
      ]
    : ['container']

const skip =
  noContainers ||
  unable ||
  (!isOwnEngine && 'the tests are run against another engine already') ||
  (!existsSync('/usr/bin/apt-get') && 'the engine is made of packages of Debian')

t.setTimeout(900_000)

// A test each: an engine of its own has nothing of another's.
for (const name of files) {
  const file = join(root, 'build', 'test', 'e2e', `${name}.test.js`)
  const words = [join(root, 'test', 'docker', 'run'), process.execPath, file]
  if (skip === false) t.spawn('bash', words, { cwd: root, timeout: 600_000 }, `${name} with a Docker engine`)
  else t.test(`${name} with a Docker engine`, { skip }, t => t.end())
}
