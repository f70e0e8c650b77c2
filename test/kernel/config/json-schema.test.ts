import { Ajv } from 'ajv'
import { parse } from 'smol-toml'
import t from 'tap'
import { projectSchema } from '../../../kernel/config/load.ts'
import { types } from './projects.ts'
import { web, wrongFiles } from './wrong-files/index.ts'

t.test('agrees with the reader about every wrong file', async t => {
  const schema = projectSchema(types)
  const validate = new Ajv({ strict: false }).compile(JSON.parse(JSON.stringify(schema)))
  for (const { title, text, isBeyondSchema } of wrongFiles)
    t.equal(validate(parse(text)), isBeyondSchema === true, title)
  const right = `${web}health_check = { type = "http", path = "/x", interval = "1s" }\ndepends_on = { a = "started" }\nenv_file = "a"\ntty = false\n[services.web.commands.fresh]\nrun = "x"\nargs = { size = { type = "integer", default = 1 } }\n[services.a]\ntype = "container"\nimage = "x"\ncommand = ["a"]\nport = 80\nstop_signal = "TERM"\nready_timeout = 0.5\n[services.db]\ntype = "postgres"\n[routes]\n"/" = { service = "web" }\n[plugins]\na = "1"\n[env]\nA = 1\n`
  t.ok(validate(parse(right)), JSON.stringify(validate.errors))
  const described: string[] = []
  const walk = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return
    if ('description' in value && typeof value.description === 'string') described.push(path)
    for (const [key, inner] of Object.entries(value)) walk(inner, `${path}/${key}`)
  }
  walk(schema, '')
  for (const key of [
    'workdir',
    'port',
    'env',
    'env_file',
    'depends_on',
    'health_check',
    'ready_timeout',
    'restart',
    'stop_signal',
    'stop_timeout',
    'watch',
    'commands',
  ]) {
    t.ok(described.includes(`/definitions/${key}`), `${key} has a description`)
  }
  t.notOk(JSON.stringify(schema).includes('type-vm'), 'without types that are not available')
})
