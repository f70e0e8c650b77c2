import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { loadProject, type TypeSource } from '../../../kernel/config/load.ts'
import type { ProjectSource, ServiceType } from '../../../kernel/contract/plugin.ts'
import { type Shape, shape } from '../../../kernel/contract/shape.ts'
import { LocaldError, type Problem } from '../../../kernel/errors.ts'

export function fake(
  type: string,
  own: Shape<unknown>,
  more: Partial<ServiceType<unknown>> = {},
): ServiceType<unknown> {
  return { type, shape: own, start: () => Promise.reject(new Error('not started in this test')), ...more }
}

const command = { type: 'string', minLength: 1, pattern: '\\S', description: 'What sh runs.' } as const
const drivers: Readonly<Record<string, ServiceType<unknown>>> = {
  exec: fake(
    'exec',
    shape({
      type: 'object',
      properties: {
        command,
        tty: { type: 'boolean', default: true },
        mode: { enum: ['fast', 'slow'] },
        limits: {
          type: 'object',
          properties: { memory: { type: 'integer', minimum: 1 } },
          required: ['memory'],
          additionalProperties: false,
        },
      },
      required: ['command'],
      additionalProperties: false,
    }),
    { isDefault: true },
  ),
  worker: fake(
    'worker',
    shape({ type: 'object', properties: { command }, required: ['command'], additionalProperties: false }),
    { network: 'none' },
  ),
  postgres: fake(
    'postgres',
    shape({
      type: 'object',
      properties: { version: { enum: ['16', '17'], default: '17' } },
      additionalProperties: false,
    }),
    { network: 'port', exports: () => ({ url: 'postgres://' }) },
  ),
  container: fake(
    'container',
    shape({
      type: 'object',
      properties: {
        image: { type: 'string', minLength: 1 },
        container_port: { type: 'integer', minimum: 1, maximum: 65535 },
        ports: { type: 'array', items: { type: 'integer' } },
        command: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] },
        build: { type: 'string', minLength: 1 },
      },
      anyOf: [{ required: ['image'] }, { required: ['build'] }],
      additionalProperties: false,
    }),
    {
      reach: 'guest',
      network: options => (insideOf(options).main === undefined ? 'none' : 'web'),
      guestPort: options => insideOf(options).main,
      ports: options => insideOf(options).further,
    },
  ),
}

function insideOf(options: unknown): { readonly main: number | undefined; readonly further: readonly number[] } {
  const main: unknown = Reflect.get(Object(options), 'container_port')
  const further: unknown = Reflect.get(Object(options), 'ports')
  return { main: typeof main === 'number' ? main : undefined, further: Array.isArray(further) ? further : [] }
}

export const procfile: ProjectSource = {
  file: 'Procfile',
  read(text) {
    const lines = text.split('\n').filter(line => line !== '')
    const bad = lines.findIndex(line => !line.includes(': '))
    if (bad >= 0) throw new Error(`line ${bad + 1} is no "name: command"`)
    if (lines.length === 0) return undefined
    return Object.fromEntries(
      lines.map(line => line.split(': ', 2)).map(([name = '', run = '']) => [name, { command: run }]),
    )
  },
}

export const types: TypeSource = {
  find(type) {
    if (type === 'vm') {
      const hint = 'brew install lima'
      return new LocaldError('SERVICE_TYPE_UNSUPPORTED', "type 'vm' is not available: Lima is not installed", { hint })
    }
    return (
      drivers[type] ??
      new LocaldError('SERVICE_TYPE_UNSUPPORTED', `type '${type}' is not available: no plugin provides it`)
    )
  },
  defaultType: 'exec',
  names: [...Object.keys(drivers), 'vm'],
  sources: [procfile],
  reserved: [{ host: 'locald.localhost', what: 'dashboard' }],
  tables: { settings: ['proxy'] },
}

export const top = realpathSync(mkdtempSync(join(tmpdir(), 'locald-config-')))
t.teardown(() => rmSync(top, { recursive: true, force: true }))
let count = 0

/** A folder of its own with these files, inside a home of its own. */
export function folder(files: Readonly<Record<string, string | Uint8Array>>): {
  root: string
  places: { configDir: string; home: string }
} {
  const home = join(top, `home${++count}`)
  const root = join(home, 'work', 'shop')
  mkdirSync(root, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    const file = join(root, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  return { root, places: { configDir: join(home, '.config', 'locald'), home } }
}

export async function load(files: Readonly<Record<string, string | Uint8Array>>, from: TypeSource = types) {
  const { root, places } = folder(files)
  return loadProject(root, from, places)
}

export async function failure(promise: Promise<unknown>): Promise<LocaldError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (!LocaldError.is(error)) throw error
  return error
}

/** Formats each problem as `line key: message`. */
export function problemLines(problems: readonly Problem[]): string[] {
  return problems.map(({ line, key, message }) => `${line ?? '-'} ${key ?? '-'}: ${message}`)
}
