import type { ArgumentValue, CommandArgument, ServiceCommand } from '../../contract/plugin.ts'
import type { Spot } from '../document/problems.ts'
import { isTable, kindOf, own, type Table } from '../document/table.ts'
import { type Key, readKey, required, schemaOfTable, withDefault } from '../fields/keys.ts'
import { flag, readTable, readTexts, text, textsSchema, type ValueType, wordOf } from '../fields/value-type.ts'
import { isLabel, labelOf, labelPattern, labelRule } from '../names.ts'
import { parseCommand } from '../references/command-template.ts'
import { formatValue } from './command-values.ts'

const value: ValueType<ArgumentValue> = {
  name: 'text, number, true or false',
  schema: { type: ['string', 'number', 'boolean'] },
  read: ({ value }) => toValue(value),
}

const words: ValueType<readonly string[]> = {
  name: 'array of texts',
  schema: { ...textsSchema, minItems: 1 },
  read: spot => readTexts(spot, 'an array of texts'),
}

const description: Key<string> = { key: 'description', type: text, absent: 'none', doc: 'What it does, for lists.' }

/** The keys of an argument. */
export const argumentKeys = {
  type: withDefault(
    {
      key: 'type',
      type: wordOf(['string', 'integer', 'number', 'boolean', 'enum'] as const),
      doc: 'What it may be; a value of another type is an error before anything starts.',
    },
    'string',
  ),
  values: { key: 'values', type: words, absent: 'none', doc: 'What an argument of type "enum" may be.' },
  default: {
    key: 'default',
    type: value,
    absent: 'none',
    doc: 'Its value where none is given; without the key it must be given.',
  },
  description: { ...description, doc: 'What it is for, for help and forms.' },
} satisfies Readonly<Record<keyof CommandArgument, Key>>

const args: ValueType<ServiceCommand['args']> = tableByName('table of arguments', argumentKeys, readArgument)

/** The keys of a command. */
export const commandKeys = {
  run: {
    key: 'run',
    type: text,
    absent: required,
    doc: `A line for sh -c. \${NAME} is the value of an argument, always one word; \${services.NAME.url} and \${project.name} as in env.`,
  },
  description,
  args: {
    key: 'args',
    type: args,
    absent: 'none',
    doc: 'Its arguments, by name: { size = { type = "integer", default = 100 } }.',
  },
  confirm: withDefault({ key: 'confirm', type: flag, doc: 'Whether locald asks before it runs the command.' }, false),
} satisfies Readonly<Record<keyof ServiceCommand, Key>>

/** The table `commands` of a service. */
export const commands: ValueType<Readonly<Record<string, ServiceCommand>>> = tableByName(
  'table of commands',
  commandKeys,
  readCommand,
)

/** Creates the type of a table with an entry for each name; wrong entries are noted and left out. */
function tableByName<T>(
  name: string,
  keys: Readonly<Record<string, Key>>,
  readEntry: (spot: Spot, name: string) => T | undefined,
): ValueType<Readonly<Record<string, T>>> {
  return {
    name,
    schema: {
      type: 'object',
      propertyNames: { pattern: labelPattern },
      additionalProperties: schemaOfTable(Object.values(keys)),
    },
    read: spot => {
      if (!isTable(spot.value)) return spot.wrong(`must be a ${name}, not ${kindOf(spot.value)}`)
      const read = Object.entries(spot.value).flatMap(([key, written]) => {
        const entry = readEntry(spot.inside(key, written), key)
        return entry === undefined ? [] : [[key, entry] as const]
      })
      return Object.fromEntries(read)
    },
  }
}

function readCommand(spot: Spot, name: string): ServiceCommand | undefined {
  if (!isLabel(name))
    return spot.wrong(`a command's name ${labelRule}`, { hint: `Use a name such as ${labelOf(name)}.` })
  const table = readTable(spot, Object.keys(commandKeys), 'a table such as { run = "npm run seed" }')
  if (table === undefined) return undefined
  const run = readKey(spot, table, commandKeys.run)
  const args = readKey(spot, table, commandKeys.args) ?? {}
  const description = readKey(spot, table, commandKeys.description)
  const confirm = readKey(spot, table, commandKeys.confirm)
  if (run === undefined) return undefined
  checkLine(spot, { table, run, args })
  return { run, args, confirm, ...(description === undefined ? {} : { description }) }
}

/** Notes what is wrong with the references of a line, and arguments that it does not use. */
function checkLine(
  spot: Spot,
  { table, run, args }: { readonly table: Table; readonly run: string; readonly args: ServiceCommand['args'] },
): void {
  const names = Object.keys(args)
  const place = spot.inside('run', own(table, 'run'))
  const parsed = run.includes('\0')
    ? { fault: 'has a NUL character, which no command line can hold', hint: undefined }
    : parseCommand(run, names)
  if ('fault' in parsed) {
    place.wrong(parsed.fault, { hint: parsed.hint })
    return
  }
  const used = parsed.names.flatMap(name => (name.of === 'argument' ? [name.name] : []))
  for (const name of names.filter(name => !used.includes(name)))
    spot.inside('args', args).inside(name, args[name]).wrong(`is not used: write \${${name}} in \`run\``)
}

/** Flags that `locald run` has for every command. */
const reserved = ['help', 'yes']

function readArgument(spot: Spot, name: string): CommandArgument | undefined {
  if (!isLabel(name))
    return spot.wrong(`an argument's name ${labelRule}`, { hint: `Use a name such as ${labelOf(name)}.` })
  if (reserved.includes(name)) return spot.wrong(`--${name} is a flag of every command`, { hint: 'Use another name.' })
  if (name.startsWith('no-'))
    return spot.wrong(`--${name} would switch off '${name.slice(3)}'`, { hint: 'Use another name.' })
  const table = readTable(spot, Object.keys(argumentKeys), 'a table such as { type = "integer" }')
  if (table === undefined) return undefined
  const type = readKey(spot, table, argumentKeys.type)
  const values = readKey(spot, table, argumentKeys.values)
  if (type === 'enum' && values === undefined) spot.inside('values', undefined).wrong('missing key')
  if (type !== 'enum' && values !== undefined) spot.inside('values', values).wrong('is only for type = "enum"')
  const description = readKey(spot, table, argumentKeys.description)
  const argument = {
    type,
    ...(values === undefined ? {} : { values }),
    ...(description === undefined ? {} : { description }),
  }
  const preset = readDefault(spot, table, argument)
  return preset === undefined ? argument : { ...argument, default: preset }
}

function readDefault(spot: Spot, table: Table, argument: CommandArgument): ArgumentValue | undefined {
  const written = own(table, 'default')
  if (written === undefined) return undefined
  const place = spot.inside('default', written)
  const read = toValue(written)
  const { kind, fault } = writtenForms[argument.type]
  const text = read !== undefined && typeof read === kind ? formatValue(argument, read) : { fault }
  return 'text' in text ? read : place.wrong(text.fault)
}

function toValue(value: unknown): ArgumentValue | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined
}

/** What the values of each type are in TOML, and what is wrong with others. */
const writtenForms = {
  string: { kind: 'string', fault: 'must be a text' },
  enum: { kind: 'string', fault: 'must be one of `values`' },
  integer: { kind: 'number', fault: 'must be a whole number' },
  number: { kind: 'number', fault: 'must be a number' },
  boolean: { kind: 'boolean', fault: 'must be true or false' },
} as const
