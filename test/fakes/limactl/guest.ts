/** nerdctl in the VM of the stand-in: containers are processes that answer HTTP with their name and variables. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { guestVariables, kill } from './state.ts'

const guest = process.env['FAKE_GUEST'] ?? '/nonexistent'
const containers = join(guest, 'containers')

interface Container {
  readonly pid: number
  readonly port: number | undefined
}

function read(name: string): Container | undefined {
  const file = join(containers, name)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

function remove(name: string): void {
  const found = read(name)
  if (found === undefined) return
  kill(found.pid, 'SIGKILL')
  if (found.port !== undefined) rmSync(join(guest, 'ports', String(found.port)), { force: true })
  rmSync(join(containers, name))
}

/** pkg/flagutil/flagutil.go of nerdctl: `-e NAME` takes the value of its own environment; a file has one a line. */
function variablesOf(words: readonly string[]): Record<string, string> {
  const variables: Record<string, string> = {}
  words.forEach((word, index) => {
    const next = words[index + 1] ?? ''
    if (word === '-e') variables[next] = process.env[next] ?? ''
    if (word !== '--env-file') return
    for (const line of readFileSync(next, 'utf8').split('\n')) {
      const at = line.indexOf('=')
      if (at > 0) variables[line.slice(0, at)] = line.slice(at + 1)
    }
  })
  return variables
}

function run(words: readonly string[]): void {
  const after = (flag: string): string | undefined =>
    words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined
  const name = after('--name') ?? 'nameless'
  if (read(name) !== undefined) {
    console.error(`name "${name}" is already used by ID "0123456789ab"`)
    process.exit(1)
  }
  const port = after('-p')?.split(':')[1]
  mkdirSync(containers, { recursive: true })
  const child = spawn(process.execPath, [import.meta.filename, 'container'], {
    detached: true,
    stdio: 'ignore',
    env: { FAKE_GUEST: guest, CONTAINER: JSON.stringify({ name, port, variables: variablesOf(words) }) },
  })
  child.unref()
  writeFileSync(join(containers, name), JSON.stringify({ pid: child.pid, port }))
  console.log('0123456789ab')
}

/** What runs in a VM ends with it. */
function halt(): void {
  for (const name of existsSync(containers) ? readdirSync(containers) : []) remove(name)
  const variables = guestVariables()
  if (Object.keys(variables).length > 0)
    spawnSync('podman', ['kill', '--all'], { env: { ...process.env, ...variables } })
}

function serve(): void {
  const { name, port, variables }: { name: string; port?: string; variables: object } = JSON.parse(
    process.env['CONTAINER'] ?? '{}',
  )
  const server = createServer((_, response) => response.end(JSON.stringify({ name, variables })))
  if (port === undefined) setInterval(() => {}, 1000)
  else server.listen(join(guest, 'ports', port))
}

const [first, ...others] = process.argv.slice(2)
const words = first === '--namespace' ? others.slice(1) : [first ?? '', ...others]
const [verb, ...rest] = words
if (verb === '--version') console.log('nerdctl version 2.3.5')
else if (verb === 'ps') for (const name of existsSync(containers) ? readdirSync(containers) : []) console.log(name)
else if (verb === 'run') run(rest)
else if (verb === 'rm') remove(rest.at(-1) ?? '')
else if (verb === 'stop') for (const name of rest.slice(2)) remove(name)
else if (verb === 'volume') console.log('locald-shop-data-0a1b2c')
else if (verb === 'exec') console.log(JSON.stringify(variablesOf(rest)))
else if (verb === 'container') serve()
else if (verb === 'halt') halt()
else {
  console.error(`unknown command "${verb}" for "nerdctl"`)
  process.exit(1)
}
