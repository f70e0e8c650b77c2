import { execFileSync } from 'node:child_process'
import { chownSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Files, failureOf, folderOf, infer, lines } from './folders.ts'

const other = 12_345
const script = '{"scripts":{"dev":"node ."}}'
const django = 'import django\n'

t.test(
  "other users' files are refused, and count for nothing elsewhere",
  { skip: process.getuid?.() !== 0 },
  async t => {
    const stolen = (files: Files, ...names: readonly string[]) => {
      const folder = folderOf(t, files)
      for (const name of names) chownSync(join(folder, name), other, other)
      return folder
    }
    const cases: readonly (readonly [Files, string])[] = [
      [{ 'Procfile.dev': 'web: a', Procfile: 'web: b' }, 'Procfile.dev'],
      [{ 'package.json': script }, 'package.json'],
      [{ 'manage.py': django }, 'manage.py'],
      [{ 'package.json': '{"workspaces":["a"]}', 'a/package.json': script }, 'a/package.json'],
      [{ 'pnpm-workspace.yaml': 'packages: [a]', 'a/package.json': script }, 'pnpm-workspace.yaml'],
    ]
    for (const [files, name] of cases) {
      const folder = stolen(files, name)
      const { code, message, hint } = await failureOf(folder)
      t.equal(code, 'CONFIG_UNTRUSTED', name)
      t.match(message, `${name}: belongs to uid ${other}`)
      t.match(hint, '`locald config allow ')
    }
    const python = stolen({ 'manage.py': django, '.venv/bin/python': '' }, '.venv/bin/python')
    t.match(
      lines(await infer(python)),
      ['web: python3 manage.py runserver 127.0.0.1:$PORT'],
      'runs no program of theirs',
    )
    t.equal((await failureOf(stolen({ artisan: '' }, 'artisan'))).code, 'CONFIG_NOT_FOUND')
  },
)

t.test('pipes, devices and huge files are refused at once', async t => {
  for (const name of ['package.json', 'Procfile', 'manage.py', 'pnpm-workspace.yaml', 'Cargo.toml']) {
    const folder = folderOf(t, {})
    const file = join(folder, name)
    execFileSync('mkfifo', [file])
    t.match(await failureOf(folder), { code: 'CONFIG_UNREADABLE', message: `${name}: is not a regular file` })
    unlinkSync(file)
    symlinkSync('/dev/zero', file)
    t.match(await failureOf(folder), { code: 'CONFIG_UNREADABLE', message: `${name}: is not a regular file` })
    unlinkSync(file)
    writeFileSync(file, 'x'.repeat(1024 * 1024 + 1))
    t.match(await failureOf(folder), { code: 'CONFIG_UNREADABLE', message: `${name}: is larger than 1 MiB` })
  }
})

t.test('what files say stays what it is: no code, no other key', async t => {
  const name = '$(touch /tmp/x)\u001b]0;x\u0007'
  const packages = { 'a b;c/package.json': JSON.stringify({ name, scripts: { dev: '\u001b[2J' } }) }
  const answer = await infer(folderOf(t, { 'package.json': '{"workspaces":["*"]}', ...packages }))
  t.strictSame(answer.services, { 'touch-tmp-x-0-x': { command: 'npm run dev', workdir: 'a b;c' } })
  const odd = '{"scripts":{"__proto__":"x","dev":"x"},"workspaces":[1,null,"","/etc","../..","[","{a,","!","**/**/**"]}'
  t.strictSame(lines(await infer(folderOf(t, { 'package.json': odd }))), ['web: npm run dev'])
  const bomb = `a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\npackages: [*d,*d,*d,*d]\n`
  const refused = await failureOf(folderOf(t, { 'pnpm-workspace.yaml': bomb }))
  t.equal(refused.message, 'pnpm-workspace.yaml: is not valid YAML')
})

/** Just below the limit of compose files. */
function fill(head: string, line: (index: number) => string): string {
  const lines = [head]
  for (let length = head.length, index = 0; length < 127 * 1024; index++)
    length += lines[lines.push(line(index)) - 1]?.length ?? 0
  return lines.join('')
}

t.test('hostile compose files are one error, or a project, in a moment', async t => {
  const service = 'services:\n web:\n  image: x\n'
  const cases: Readonly<Record<string, Files>> = {
    'larger than 128 KiB': { 'compose.yaml': 'a: 1\n'.repeat(200_000) },
    'nested more than 64': { 'compose.yaml': '['.repeat(130_000) },
    'nested more than 64 deep': { 'compose.yaml': '- '.repeat(65_000) },
    'more than 20000 values': {
      'compose.yaml': fill('a: &a [x,x]\n', at => `b${at}: [${'*a,'.repeat(40)}]\n`),
    },
    'duplicate key': { 'compose.yaml': 'services: {}\nservices: {}\n' },
    'more than 200 services': { 'compose.yaml': fill('services:\n', at => ` a${at}: !!js/function {}\n`) },
    'more than 20 documents': { 'compose.yaml': '---\n'.repeat(32_000) },
    'extends: more than 20': {
      'compose.yaml': fill('services:\n', at => (at > 150 ? '#\n' : ` a${at}: {extends: {service: a${at + 1}}}\n`)),
    },
    'ports: are more than 200': { 'compose.yaml': fill(`${service}  ports:\n`, () => '   - 1-50\n') },
    'longer than 65536 characters': {
      'compose.yaml': `${service.replace('x', '$C$C')}`,
      '.env': `A=${'x'.repeat(1000)}\nB=${'$A'.repeat(60)}\nC=$B\n`,
    },
    '': { 'compose.yaml': fill(`${service}  volumes:\n`, at => `   - ./x:/y${at}\n`) },
  }
  for (const [message, files] of Object.entries(cases)) {
    const folder = folderOf(t, files)
    const before = process.cpuUsage()
    const answer = await infer(folder).catch((error: unknown) => error)
    const { user } = process.cpuUsage(before)
    t.ok(user < 1_000_000, `${message}: ${user} µs`)
    if (message === '') t.match(answer, { file: 'compose.yaml' })
    else t.match(answer, { code: /^CONFIG_(?:INVALID|NOT_FOUND)$/, message: new RegExp(message) })
  }
})

t.test('large files that defeat regular expressions take a moment', async t => {
  const blank = '\n'.repeat(1_000_000)
  const spaces = ' '.repeat(1_000_000)
  const folder = `packages/${'a'.repeat(250)}`
  const cases: readonly Files[] = [
    ...['main.py', 'app.py', 'app.rb', 'Dockerfile', 'Makefile', 'go.mod', 'manage.py'].map(name => ({
      [name]: blank,
    })),
    { 'main.py': `a${' '.repeat(1_000_000)}` },
    { Procfile: `web: a${spaces}b\njob: ${'A=1 '.repeat(200_000)}x\nother: ${'npx '.repeat(200_000)}` },
    {
      'package.json': JSON.stringify({ workspaces: ['a'], scripts: { dev: 'npm '.repeat(250_000) } }),
      'a/package.json': script,
    },
    { 'package.json': JSON.stringify({ workspaces: Array.from({ length: 50_000 }, (_, at) => `x${at}/*`) }) },
    {
      'package.json': JSON.stringify({ workspaces: [`packages/${'*a'.repeat(30)}b`, 'packages/+(a|aa)+(a|aa)b'] }),
      [`${folder}/x`]: '',
    },
    { 'package.json': '['.repeat(1_000_000) },
    { 'deno.json': '['.repeat(1_000_000) },
    { 'pnpm-workspace.yaml': '- '.repeat(500_000) },
    { 'Cargo.toml': `a = ${'['.repeat(1_000_000)}` },
    { 'pnpm-workspace.yaml': '['.repeat(60_000) },
  ]
  for (const files of cases) {
    const folder = folderOf(t, files)
    const started = performance.now()
    await infer(folder).catch(() => {})
    const tookMs = performance.now() - started
    t.ok(tookMs < 3000, `${Object.keys(files).join(' and ').slice(0, 40)}: ${tookMs} ms`)
  }
})
