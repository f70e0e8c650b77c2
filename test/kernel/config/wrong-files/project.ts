import { head, label, type WrongFile, web } from './wrong-file.ts'

export const project: readonly WrongFile[] = [
  { title: 'no name', text: '[project]\ndomain = "a.localhost"', problems: ['1 project.name: missing key'] },
  { title: 'no project', text: '[services.web]\ncommand = "x"', problems: ['1 project.name: missing key'] },
  { title: 'an empty file', text: '', problems: ['1 project.name: missing key'] },
  {
    title: 'a name that is no label',
    text: '[project]\nname = "My Shop"',
    problems: [`2 project.name: a project's name ${label}`],
  },
  {
    title: 'a name with a hyphen at its end',
    text: '[project]\nname = "shop-"',
    problems: [`2 project.name: a project's name ${label}`],
  },
  {
    title: 'a name that is too long',
    text: `[project]\nname = "${'a'.repeat(64)}"`,
    problems: [`2 project.name: a project's name ${label}`],
  },
  {
    title: 'a name that is a number',
    text: '[project]\nname = 5',
    problems: ['2 project.name: must be a string, not a number'],
  },
  {
    title: "the dashboard's name",
    text: '[project]\nname = "locald"',
    problems: ["2 project.name: its domain would be locald.localhost, which is the dashboard's"],
    isBeyondSchema: true,
  },
  {
    title: "the dashboard's domain",
    text: '[project]\nname = "a"\ndomain = "locald.localhost"',
    problems: ["3 project.domain: is the dashboard's"],
    isBeyondSchema: true,
  },
  {
    title: "a domain below the dashboard's",
    text: '[project]\nname = "a"\ndomain = "x.locald.localhost"',
    problems: ["3 project.domain: is below locald.localhost, the dashboard's"],
    isBeyondSchema: true,
  },
  {
    title: 'a wildcard that is no flag',
    text: '[project]\nname = "a"\nwildcard = "yes"',
    problems: ['3 project.wildcard: must be true or false, not a string'],
  },
  {
    title: 'a domain of a company or a cloud',
    text: '[project]\nname = "a"\ndomain = "vault.corp.internal"',
    problems: ['3 project.domain: is reserved: other programs of this machine may rely on it'],
  },
  {
    title: 'a domain that browsers look for',
    text: '[project]\nname = "a"\ndomain = "wpad.test"',
    problems: ['3 project.domain: is reserved: other programs of this machine may rely on it'],
  },
  {
    title: 'a domain of one label',
    text: '[project]\nname = "a"\ndomain = "shop"',
    problems: ['3 project.domain: must be a DNS name in lower case of at least two labels, such as shop.localhost'],
  },
  {
    title: 'a domain that is an address',
    text: '[project]\nname = "a"\ndomain = "127.0.0.1"',
    problems: ['3 project.domain: must be a DNS name in lower case of at least two labels, such as shop.localhost'],
  },
  {
    title: 'a domain that is too long',
    text: `[project]\nname = "a"\ndomain = "${'a.'.repeat(126)}aa"`,
    problems: ['3 project.domain: must be a DNS name in lower case of at least two labels, such as shop.localhost'],
  },
  {
    title: 'an unknown key of the project',
    text: '[project]\nname = "a"\ndomian = "a.b"',
    problems: ["3 project.domian: unknown key; did you mean 'domain'?"],
  },
  {
    title: 'a project that is no table',
    text: 'project = "a"',
    problems: ['1 project: must be a table, not a string'],
  },
  {
    title: 'a route to an unknown service',
    text: `${web}[routes]\n"/api" = "wbe"`,
    problems: ["6 routes.\"/api\": unknown service 'wbe'; did you mean 'web'?"],
    isBeyondSchema: true,
  },
  {
    title: 'a route to a service without HTTP',
    text: `${head}[services.db]\ntype = "postgres"\n[routes]\n"/api" = "db"`,
    problems: ["6 routes.\"/api\": service 'db' is of type 'postgres', which serves no HTTP"],
    isBeyondSchema: true,
  },
  {
    title: 'a route without a slash',
    text: `${web}[routes]\napi = "web"`,
    problems: ["6 routes.api: a route must start with '/'"],
  },
  {
    title: 'a route with a query',
    text: `${web}[routes]\n"/a?b" = "web"`,
    problems: ["6 routes.\"/a?b\": a route is a path: no spaces, '?' or '#'"],
  },
  {
    title: 'a route twice',
    text: `${web}[routes]\n"/api" = "web"\n"/api/" = "web"`,
    problems: ['7 routes."/api/": is there twice, with and without a slash at its end'],
    isBeyondSchema: true,
  },
  {
    title: 'a route that is a number',
    text: `${web}[routes]\n"/api" = 1`,
    problems: [
      '6 routes."/api": must be the name of a service, or a table with service and strip_prefix, not a number',
    ],
  },
  {
    title: 'a route with an unknown key',
    text: `${web}[routes]\n"/api" = { service = "web", strip = true }`,
    problems: ['6 routes."/api".strip: unknown key; did you mean \'strip_prefix\'?'],
  },
  {
    title: 'a route without a service',
    text: `${web}[routes]\n"/api" = { strip_prefix = true }`,
    problems: ['6 routes."/api".service: missing key'],
  },
  {
    title: 'strip_prefix that is no boolean',
    text: `${web}[routes]\n"/api" = { service = "web", strip_prefix = "yes" }`,
    problems: ['6 routes."/api".strip_prefix: must be true or false, not a string'],
  },
  {
    title: 'a plugin that is a table',
    text: `${head}[plugins.redis]\nversion = "1"`,
    problems: ['3 plugins.redis: must be a range of versions such as "^1.2", not a table'],
  },
  {
    title: 'a plugin without a range',
    text: `${head}[plugins]\nredis = ""`,
    problems: ['4 plugins.redis: must not be empty'],
  },
]
