import { head, type WrongFile, web } from './wrong-file.ts'

export const options: readonly WrongFile[] = [
  {
    title: 'a misspelt key',
    text: `${head}[services.web]\ncomand = "x"`,
    problems: ["4 services.web.comand: unknown key; did you mean 'command'?"],
  },
  {
    title: 'camel case',
    text: `${web}dependsOn = []`,
    problems: ["5 services.web.dependsOn: unknown key; did you mean 'depends_on'?"],
  },
  {
    title: 'the key of another tool',
    text: `${web}cwd = "."`,
    problems: ["5 services.web.cwd: unknown key; did you mean 'workdir'?"],
  },
  {
    title: 'the start of a key',
    text: `${web}health = { type = "tcp" }`,
    problems: ["5 services.web.health: unknown key; did you mean 'health_check'?"],
  },
  {
    title: 'a key with a suffix',
    text: `${web}restart_always = true`,
    problems: ["5 services.web.restart_always: unknown key; did you mean 'restart'?"],
  },
  { title: 'a key unlike any other', text: `${web}zzzzzzzz = 1`, problems: ['5 services.web.zzzzzzzz: unknown key'] },
  {
    title: 'an unknown table',
    text: `${head}[service.web]\ncommand = "x"`,
    problems: ["3 service: unknown key; did you mean 'services'?"],
  },
  { title: 'a top-level key', text: `port = 1\n${head}`, problems: ['1 port: unknown key'] },
  {
    title: "a table of locald's own settings",
    text: `${head}[proxy]\n`,
    problems: ["3 proxy: belongs in locald's own config.toml"],
  },
  {
    title: 'a key of another type',
    text: `${web}image = "x"`,
    problems: [
      "5 services.web.image: unknown key for type 'exec': it belongs to type 'container'; add type = \"container\"",
    ],
  },
  {
    title: 'a key of another type, the own one missing',
    text: `${head}[services.web]\nimage = "x"`,
    problems: [
      "4 services.web.image: unknown key for type 'exec': it belongs to type 'container'; add type = \"container\"",
    ],
  },
  {
    title: 'a key of another type, with a type',
    text: `${web}type = "worker"\ntty = true`,
    problems: ["6 services.web.tty: unknown key for type 'worker': it belongs to type 'exec'"],
  },
  {
    title: 'a container without an image',
    text: `${head}[services.web]\ntype = "container"`,
    problems: ['3 services.web: needs image or build'],
  },
  { title: 'no command', text: `${head}[services.web]\nport = 1`, problems: ['3 services.web.command: missing key'] },
  {
    title: 'an empty command',
    text: `${head}[services.web]\ncommand = ""`,
    problems: ['4 services.web.command: must not be empty'],
  },
  {
    title: 'a wrong type of option',
    text: `${web}tty = "yes"`,
    problems: ['5 services.web.tty: must be true or false'],
  },
  {
    title: 'a wrong word of an option',
    text: `${web}mode = "fst"`,
    problems: ['5 services.web.mode: must be one of "fast", "slow"; did you mean \'fast\'?'],
  },
  {
    title: 'an unknown key inside an option',
    text: `${web}limits = { memory = 1, memry = 2 }`,
    problems: ["5 services.web.limits.memry: unknown key; did you mean 'memory'?"],
  },
  {
    title: 'a missing key inside an option',
    text: `${web}[services.web.limits]\n`,
    problems: ['5 services.web.limits.memory: missing key'],
  },
  {
    title: 'an error inside one of several alternatives',
    text: `${head}[services.c]\ntype = "container"\nimage = "x"\ncommand = [\n  "a",\n  1,\n]`,
    problems: ['8 services.c.command[1]: must be a string'],
  },
  {
    title: 'a value that fits no alternative',
    text: `${head}[services.c]\ntype = "container"\nimage = "x"\ncommand = 1`,
    problems: ['6 services.c.command: must be a string or an array'],
  },
  {
    title: 'a number out of range',
    text: `${head}[services.c]\ntype = "container"\nimage = "x"\ncontainer_port = 70000`,
    problems: ['6 services.c.container_port: must be 65535 or less'],
  },
]
