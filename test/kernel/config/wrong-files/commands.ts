import { head, label, type WrongFile } from './wrong-file.ts'

const seed = `${head}[services.seed]\ncommand = "x"\n`
const fresh = `${seed}[services.seed.commands.fresh]\n`
const key = 'services.seed.commands.fresh'

export const commands: readonly WrongFile[] = [
  {
    title: 'commands that are no table',
    text: `${seed}commands = ["x"]`,
    problems: ['5 services.seed.commands: must be a table of commands, not an array'],
  },
  {
    title: 'a command that is a text',
    text: `${seed}commands = { fresh = "x" }`,
    problems: [`5 ${key}: must be a table such as { run = "npm run seed" }, not a string`],
  },
  {
    title: 'a name of a command that is no label',
    text: `${seed}[services.seed.commands.Fresh_1]\nrun = "x"`,
    problems: [`5 services.seed.commands.Fresh_1: a command's name ${label}`],
  },
  {
    title: 'a command without run, by the name that services have for it',
    text: `${fresh}command = "x"`,
    problems: [`5 ${key}.run: missing key`, `6 ${key}.command: unknown key; did you mean 'run'?`],
  },
  {
    title: 'an argument of an unknown type',
    text: `${fresh}run = "x \${size}"\nargs = { size = { type = "integr" } }`,
    problems: [
      `7 ${key}.args.size.type: must be one of "string", "integer", "number", "boolean", "enum"; did you mean 'integer'?`,
    ],
  },
  {
    title: 'defaults of another type',
    text: `${fresh}run = "x \${a} \${b} \${c} \${d} \${e}"
args.a = { type = "integer", default = "1" }
args.b = { type = "integer", default = 1.5 }
args.c = { type = "boolean", default = 1 }
args.d = { type = "enum", values = ["x", "y"], default = "z" }
args.e = { default = 1 }`,
    problems: [
      `7 ${key}.args.a.default: must be a whole number`,
      `8 ${key}.args.b.default: must be a whole number`,
      `9 ${key}.args.c.default: must be true or false`,
      `10 ${key}.args.d.default: must be one of x, y`,
      `11 ${key}.args.e.default: must be a text`,
    ],
    isBeyondSchema: true,
  },
  {
    title: 'values without enum, and an enum without values',
    text: `${fresh}run = "x \${a} \${b}"\nargs.a = { values = ["x"] }\nargs.b = { type = "enum" }`,
    problems: [`7 ${key}.args.a.values: is only for type = "enum"`, `8 ${key}.args.b.values: missing key`],
    isBeyondSchema: true,
  },
  {
    title: 'names of arguments that are flags already, or no names',
    text: `${fresh}run = "x"\nargs = { help = {}, no-a = {}, A_b = {} }`,
    problems: [
      `7 ${key}.args.A_b: an argument's name ${label}`,
      `7 ${key}.args.help: --help is a flag of every command`,
      `7 ${key}.args.no-a: --no-a would switch off 'a'`,
    ],
  },
  {
    title: 'an argument that is not used',
    text: `${fresh}run = "x # \${size}"\nargs = { size = {} }`,
    problems: [`7 ${key}.args.size: is not used: write \${size} in \`run\``],
    isBeyondSchema: true,
  },
  {
    title: 'a reference in single quotes',
    text: `${fresh}run = "sh -c 'x \${size}'"\nargs = { size = {} }`,
    problems: [`6 ${key}.run: has a \${…} in single quotes, where it cannot be one word`],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to a service that does not exist',
    text: `${fresh}run = "x \${services.sed.url}"`,
    problems: [`6 ${key}.run: unknown service 'sed' in \${services.sed.…}; did you mean 'seed'?`],
    isBeyondSchema: true,
  },
]
