/** Environments of one service for tests, in a folder of their own that is removed with the test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { ProjectPlan, ServicePlan } from '../../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../../kernel/errors.ts'
import {
  type EnvironmentInput,
  environmentOf,
  type Locate,
} from '../../../../kernel/services/environment/environment.ts'

export const top = realpathSync(mkdtempSync(join(tmpdir(), 'locald-env-')))

t.teardown(() => rmSync(top, { recursive: true, force: true }))

let count = 0

export interface Setting {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly shell?: Readonly<Record<string, string>>
  readonly project?: Readonly<Record<string, string>>
  readonly service?: Readonly<Record<string, string>>
  readonly envFile?: readonly string[]
  readonly own?: Readonly<Record<string, string>>
}

/** Lines are those of the fake file: `env` keys from 10 on, the service's from 20, env_file from 30. */
const locate: Locate = async path => {
  const [first, , third, fourth] = path
  if (first === 'env') return { file: join(top, 'locald.toml'), line: 10 }
  return { file: join(top, 'locald.toml'), line: third === 'env' ? 20 : 30 + Number(fourth) }
}

export function inputOf({
  files = {},
  shell = {},
  project = {},
  service = {},
  envFile = [],
  own = {},
}: Setting): EnvironmentInput {
  const root = join(top, String(++count))
  mkdirSync(root)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  const common: ServicePlan['common'] = {
    workdir: undefined,
    port: undefined,
    env: service,
    envFile,
    dependsOn: {},
    healthCheck: undefined,
    readyTimeout: 1,
    restart: 'no',
    stopSignal: 'SIGTERM',
    stopTimeout: 1,
    watch: [],
  }
  const web: ServicePlan = { name: 'web', type: 'exec', common, options: {} }
  const plan: ProjectPlan = {
    name: 'shop',
    path: root,
    domain: 'shop.localhost',
    env: project,
    services: [web],
    routes: [],
    files: [],
  }
  const fields: Readonly<Record<string, string>> = {
    'db.url': 'postgres://db',
    'db.port': '5432',
    'my-api.url': 'http://api',
  }
  return { shell, plan, service: web, own, lookup: (name, field) => fields[`${name}.${field}`], locate }
}

export async function env(setting: Setting): Promise<Readonly<Record<string, string>>> {
  return (await environmentOf(inputOf(setting))).env
}

export async function failure(setting: Setting): Promise<LocaldError> {
  const error = await environmentOf(inputOf(setting)).then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (!LocaldError.is(error)) throw error
  return error
}
