/** A wrong `locald.toml` and all that is told about it: `line key: message`. */
export interface WrongFile {
  readonly what: string
  readonly text: string
  readonly errors: readonly string[]
  /** It is right as far as a JSON schema can see. */
  readonly blind?: true
}

export const head = '[project]\nname = "shop"\n'
export const web = `${head}[services.web]\ncommand = "x"\n`
const times = 'must be a number of seconds, or a text such as "500ms", "30s" or "2m"'
const label = "must be 1 to 63 lower-case letters, digits or '-', with no '-' at either end"
const variable = "is not a variable's name: letters, digits and '_', not starting with a digit"

export const wrongFiles: readonly WrongFile[] = [
  {
    what: 'a misspelt key',
    text: `${head}[services.web]\ncomand = "x"`,
    errors: ["4 services.web.comand: unknown key; did you mean 'command'?"],
  },
  {
    what: 'camel case',
    text: `${web}dependsOn = []`,
    errors: ["5 services.web.dependsOn: unknown key; did you mean 'depends_on'?"],
  },
  {
    what: "another tool's word",
    text: `${web}cwd = "."`,
    errors: ["5 services.web.cwd: unknown key; did you mean 'workdir'?"],
  },
  {
    what: 'the start of a key',
    text: `${web}health = { type = "tcp" }`,
    errors: ["5 services.web.health: unknown key; did you mean 'health_check'?"],
  },
  {
    what: 'a key with something behind it',
    text: `${web}restart_always = true`,
    errors: ["5 services.web.restart_always: unknown key; did you mean 'restart'?"],
  },
  { what: 'a key like nothing', text: `${web}zzzzzzzz = 1`, errors: ['5 services.web.zzzzzzzz: unknown key'] },
  {
    what: 'an unknown table',
    text: `${head}[service.web]\ncommand = "x"`,
    errors: ["3 service: unknown key; did you mean 'services'?"],
  },
  { what: 'a top-level key', text: `port = 1\n${head}`, errors: ['1 port: unknown key'] },
  {
    what: "a table of locald's own settings",
    text: `${head}[proxy]\n`,
    errors: ["3 proxy: belongs in locald's own config.toml"],
  },
  {
    what: 'a key of another type',
    text: `${web}image = "x"`,
    errors: [
      "5 services.web.image: unknown key for type 'exec': it belongs to type 'container'; add type = \"container\"",
    ],
  },
  {
    what: 'a key of another type, the own one missing',
    text: `${head}[services.web]\nimage = "x"`,
    errors: [
      "4 services.web.image: unknown key for type 'exec': it belongs to type 'container'; add type = \"container\"",
    ],
  },
  {
    what: 'a key of another type, with a type',
    text: `${web}type = "worker"\ntty = true`,
    errors: ["6 services.web.tty: unknown key for type 'worker': it belongs to type 'exec'"],
  },
  { what: 'no command', text: `${head}[services.web]\nport = 1`, errors: ['3 services.web.command: missing key'] },
  {
    what: 'an empty command',
    text: `${head}[services.web]\ncommand = ""`,
    errors: ['4 services.web.command: must not be empty'],
  },
  { what: 'a wrong type of option', text: `${web}tty = "yes"`, errors: ['5 services.web.tty: must be true or false'] },
  {
    what: 'a wrong word of an option',
    text: `${web}mode = "fst"`,
    errors: ['5 services.web.mode: must be one of "fast", "slow"; did you mean \'fast\'?'],
  },
  {
    what: 'an unknown key inside an option',
    text: `${web}limits = { memory = 1, memry = 2 }`,
    errors: ["5 services.web.limits.memry: unknown key; did you mean 'memory'?"],
  },
  {
    what: 'a missing key inside an option',
    text: `${web}[services.web.limits]\n`,
    errors: ['5 services.web.limits.memory: missing key'],
  },
  {
    what: 'the meant one of alternatives',
    text: `${head}[services.c]\ntype = "container"\nimage = "x"\ncommand = [\n  "a",\n  1,\n]`,
    errors: ['8 services.c.command[1]: must be a string'],
  },
  {
    what: 'none of the alternatives',
    text: `${head}[services.c]\ntype = "container"\nimage = "x"\ncommand = 1`,
    errors: ['6 services.c.command: must be a string or an array'],
  },
  {
    what: 'a number out of range',
    text: `${head}[services.c]\ntype = "container"\nimage = "x"\ncontainer_port = 70000`,
    errors: ['6 services.c.container_port: must be 65535 or less'],
  },
  { what: 'no name', text: '[project]\ndomain = "a.localhost"', errors: ['1 project.name: missing key'] },
  { what: 'no project', text: '[services.web]\ncommand = "x"', errors: ['1 project.name: missing key'] },
  { what: 'an empty file', text: '', errors: ['1 project.name: missing key'] },
  {
    what: 'a name that is no label',
    text: '[project]\nname = "My Shop"',
    errors: [`2 project.name: a project's name ${label}`],
  },
  {
    what: 'a name with a hyphen at its end',
    text: '[project]\nname = "shop-"',
    errors: [`2 project.name: a project's name ${label}`],
  },
  {
    what: 'a name that is too long',
    text: `[project]\nname = "${'a'.repeat(64)}"`,
    errors: [`2 project.name: a project's name ${label}`],
  },
  {
    what: 'a name that is a number',
    text: '[project]\nname = 5',
    errors: ['2 project.name: must be a string, not a number'],
  },
  {
    what: "the dashboard's name",
    text: '[project]\nname = "locald"',
    errors: ["2 project.name: its domain would be locald.localhost, which is the dashboard's"],
    blind: true,
  },
  {
    what: "the dashboard's domain",
    text: '[project]\nname = "a"\ndomain = "locald.localhost"',
    errors: ["3 project.domain: is the dashboard's"],
    blind: true,
  },
  {
    what: "a domain below the dashboard's",
    text: '[project]\nname = "a"\ndomain = "x.locald.localhost"',
    errors: ["3 project.domain: is below locald.localhost, the dashboard's"],
    blind: true,
  },
  {
    what: 'a wildcard that is no flag',
    text: '[project]\nname = "a"\nwildcard = "yes"',
    errors: ['3 project.wildcard: must be true or false, not a string'],
  },
  {
    what: 'a domain of a company or a cloud',
    text: '[project]\nname = "a"\ndomain = "vault.corp.internal"',
    errors: ['3 project.domain: is reserved: other programs of this machine may rely on it'],
  },
  {
    what: 'a domain that browsers look for',
    text: '[project]\nname = "a"\ndomain = "wpad.test"',
    errors: ['3 project.domain: is reserved: other programs of this machine may rely on it'],
  },
  {
    what: 'a domain of one label',
    text: '[project]\nname = "a"\ndomain = "shop"',
    errors: ['3 project.domain: must be a DNS name in lower case of at least two labels, such as shop.localhost'],
  },
  {
    what: 'a domain that is an address',
    text: '[project]\nname = "a"\ndomain = "127.0.0.1"',
    errors: ['3 project.domain: must be a DNS name in lower case of at least two labels, such as shop.localhost'],
  },
  {
    what: 'a domain that is too long',
    text: `[project]\nname = "a"\ndomain = "${'a.'.repeat(126)}aa"`,
    errors: ['3 project.domain: must be a DNS name in lower case of at least two labels, such as shop.localhost'],
  },
  {
    what: 'an unknown key of the project',
    text: '[project]\nname = "a"\ndomian = "a.b"',
    errors: ["3 project.domian: unknown key; did you mean 'domain'?"],
  },
  { what: 'a project that is no table', text: 'project = "a"', errors: ['1 project: must be a table, not a string'] },
  {
    what: 'a name of a service that is no label',
    text: `${head}[services.Web_1]\ncommand = "x"`,
    errors: [`3 services.Web_1: a service's name ${label}`],
  },
  {
    what: 'a service that is no table',
    text: `${head}[services]\nweb = "x"`,
    errors: ['4 services.web: must be a table, not a string'],
  },
  {
    what: 'services that are no table',
    text: `services = []\n${head}`,
    errors: ['1 services: must be a table, not an array'],
  },
  {
    what: 'a type that is no string',
    text: `${web}type = 1`,
    errors: ['5 services.web.type: must be the name of a service type, not a number'],
  },
  {
    what: 'a port that is a string',
    text: `${web}port = "80"`,
    errors: ['5 services.web.port: must be a number from 1 to 65535, not a string'],
  },
  { what: 'port 0', text: `${web}port = 0`, errors: ['5 services.web.port: must be a whole number from 1 to 65535'] },
  {
    what: 'port 65536',
    text: `${web}port = 65536`,
    errors: ['5 services.web.port: must be a whole number from 1 to 65535'],
  },
  {
    what: 'half a port',
    text: `${web}port = 80.5`,
    errors: ['5 services.web.port: must be a whole number from 1 to 65535'],
  },
  {
    what: 'one port twice',
    text: `${web}port = 80\n[services.api]\ncommand = "x"\nport = 80`,
    errors: ["8 services.api.port: service 'web' has port 80 already"],
    blind: true,
  },
  {
    what: 'a port of what has none',
    text: `${head}[services.q]\ntype = "worker"\ncommand = "x"\nport = 80`,
    errors: ["6 services.q.port: type 'worker' has no port"],
    blind: true,
  },
  {
    what: 'a health check by a port that is not there',
    text: `${head}[services.q]\ntype = "worker"\ncommand = "x"\nhealth_check = { type = "tcp" }`,
    errors: ["6 services.q.health_check: needs a port, and type 'worker' has none"],
    blind: true,
  },
  {
    what: 'a workdir that is no string',
    text: `${web}workdir = []`,
    errors: ['5 services.web.workdir: must be a string, not an array'],
  },
  {
    what: 'a workdir that is empty',
    text: `${web}workdir = " "`,
    errors: ['5 services.web.workdir: must not be empty'],
  },
  {
    what: 'an unknown dependency',
    text: `${web}[services.db]\ntype = "postgres"\n[services.api]\ncommand = "x"\ndepends_on = [\n  "web",\n  "dbb",\n]`,
    errors: ["11 services.api.depends_on[1]: unknown service 'dbb'; did you mean 'db'?"],
    blind: true,
  },
  {
    what: 'an unknown dependency in a table',
    text: `${web}[services.web.depends_on]\nnothing-like-it = "ready"`,
    errors: ["6 services.web.depends_on.nothing-like-it: unknown service 'nothing-like-it'"],
    blind: true,
  },
  {
    what: 'an unknown condition',
    text: `${web}depends_on = { db = "read" }\n[services.db]\ntype = "postgres"`,
    errors: ['5 services.web.depends_on.db: must be one of "ready", "started", "completed"; did you mean \'ready\'?'],
  },
  {
    what: 'dependencies that are a string',
    text: `${web}depends_on = "db"`,
    errors: [
      '5 services.web.depends_on: must be an array of services, or a table such as { db = "ready" }, not a string',
    ],
  },
  {
    what: 'a dependency on itself',
    text: `${web}depends_on = ["web"]`,
    errors: ['5 services.web.depends_on[0]: depends on itself: web → web'],
    blind: true,
  },
  {
    what: 'an unknown restart',
    text: `${web}restart = "on_failure"`,
    errors: ['5 services.web.restart: must be one of "no", "on-failure", "always"; did you mean \'on-failure\'?'],
  },
  {
    what: 'a restart that is no word',
    text: `${web}restart = false`,
    errors: ['5 services.web.restart: must be one of "no", "on-failure", "always"'],
  },
  {
    what: 'an unknown signal',
    text: `${web}stop_signal = "SIGTREM"`,
    errors: ["5 services.web.stop_signal: is no signal of this machine; did you mean 'SIGTERM'?"],
    blind: true,
  },
  {
    what: 'a signal that is a number',
    text: `${web}stop_signal = 15`,
    errors: ['5 services.web.stop_signal: must be the name of a signal, not a number'],
  },
  {
    what: 'a time without a unit',
    text: `${web}ready_timeout = "30"`,
    errors: [`5 services.web.ready_timeout: ${times}`],
  },
  { what: 'a time below 0', text: `${web}stop_timeout = -1`, errors: [`5 services.web.stop_timeout: ${times}`] },
  {
    what: 'no time to be ready',
    text: `${web}ready_timeout = 0`,
    errors: ['5 services.web.ready_timeout: must be more than 0'],
  },
  {
    what: 'a time that no timer can wait',
    text: `${web}ready_timeout = 9e9`,
    errors: [`5 services.web.ready_timeout: ${times}`],
    blind: true,
  },
  {
    what: 'a time without an end',
    text: `${web}ready_timeout = inf`,
    errors: [`5 services.web.ready_timeout: ${times}`],
    blind: true,
  },
  {
    what: 'a watch that is a string',
    text: `${web}watch = "src/**"`,
    errors: ['5 services.web.watch: must be an array of glob patterns, not a string'],
  },
  {
    what: 'a watch with a number',
    text: `${web}watch = ["a", 1]`,
    errors: ['5 services.web.watch[1]: must be a string, not a number'],
  },
  {
    what: 'an unknown health check',
    text: `${web}health_check = { type = "htp" }`,
    errors: [
      '5 services.web.health_check.type: must be one of "http", "tcp", "command", "notify", "log"; did you mean \'http\'?',
    ],
  },
  {
    what: 'a health check without a type',
    text: `${web}health_check = { path = "/" }`,
    errors: ['5 services.web.health_check.type: missing key: one of "http", "tcp", "command", "notify", "log"'],
  },
  {
    what: 'a health check that is a number',
    text: `${web}health_check = 1`,
    errors: ['5 services.web.health_check: must be a table with a type, or a command as a string, not a number'],
  },
  {
    what: 'a path that is none',
    text: `${web}health_check = { type = "http", path = "healthz" }`,
    errors: ["5 services.web.health_check.path: must start with '/'"],
  },
  {
    what: 'a path with a space',
    text: `${web}health_check = { type = "http", path = "/a b" }`,
    errors: ['5 services.web.health_check.path: must not have spaces or control characters: write %20 for a space'],
  },
  {
    what: 'a key of another health check',
    text: `${web}health_check = { type = "tcp", path = "/" }`,
    errors: ['5 services.web.health_check.path: unknown key'],
  },
  {
    what: 'a health check without its command',
    text: `${web}[services.web.health_check]\ntype = "command"`,
    errors: ['5 services.web.health_check.command: missing key'],
  },
  {
    what: 'an empty health command',
    text: `${web}health_check = ""`,
    errors: ['5 services.web.health_check: must not be empty'],
  },
  {
    what: 'a pattern that is none',
    text: `${web}health_check = { type = "log", pattern = "(" }`,
    errors: ['5 services.web.health_check.pattern: is not a valid JavaScript regular expression'],
    blind: true,
  },
  {
    what: 'an interval of 0',
    text: `${web}health_check = { type = "tcp", interval = 0 }`,
    errors: ['5 services.web.health_check.interval: must be more than 0'],
  },
  {
    what: 'a bad name of a variable',
    text: `${head}[env]\n"A-B" = "x"\n9A = "x"`,
    errors: [`4 env.A-B: ${variable}`, `5 env.9A: ${variable}`],
  },
  {
    what: 'a variable that is an array',
    text: `${web}[services.web.env]\nA = []`,
    errors: ['6 services.web.env.A: must be a string, a number, or true or false, not an array'],
  },
  {
    what: 'a variable that is a date',
    text: `${head}[env]\nA = 2020-01-01`,
    errors: ['4 env.A: must be a string, a number, or true or false, not a date'],
  },
  {
    what: 'a variable with a NUL',
    text: `${head}[env]\nA = "\\u0000"`,
    errors: ['4 env.A: has a NUL character, which no environment can hold'],
    blind: true,
  },
  {
    what: 'an env that is no table',
    text: `${web}env = ["A=1"]`,
    errors: ['5 services.web.env: must be a table of names and values, not an array'],
  },
  {
    what: 'a reference that never ends',
    text: `${head}[env]\nA = "a\${B"`,
    errors: [`4 env.A: has a \${ at column 2 that is never closed`],
    blind: true,
  },
  {
    what: 'a reference to nothing',
    text: `${head}[env]\nA = "\${}"`,
    errors: [`4 env.A: has a \${…} at column 1 that names nothing`],
    blind: true,
  },
  {
    what: 'a reference with an unknown operator',
    text: `${head}[env]\nA = "\${B:+c}"`,
    errors: [`4 env.A: has a \${…} at column 1 with neither ':-' nor ':?' after its name`],
    blind: true,
  },
  {
    what: 'a reference to an unknown service',
    text: `${web}[services.api]\ncommand = "x"\nenv = { A = "\${services.wbe.url}" }`,
    errors: [`7 services.api.env.A: unknown service 'wbe' in \${services.wbe.…}; did you mean 'web'?`],
    blind: true,
  },
  {
    what: 'a reference in a default',
    text: `${head}[env]\nA = "\${B:-\${services.api.url}}"`,
    errors: [`4 env.A: unknown service 'api' in \${services.api.…}`],
    blind: true,
  },
  {
    what: 'a reference to an unknown field',
    text: `${web}[env]\nA = "\${services.web.prot}"`,
    errors: ["6 env.A: service 'web' has no 'prot', only port, host, url; did you mean 'port'?"],
    blind: true,
  },
  {
    what: 'a reference to a port that is not there',
    text: `${head}[services.q]\ntype = "worker"\ncommand = "x"\n[env]\nA = "\${services.q.port}"`,
    errors: ["7 env.A: service 'q' has no port, host or url: type 'worker' has no network"],
    blind: true,
  },
  {
    what: 'an env_file that does not exist',
    text: `${web}env_file = ".env.local"`,
    errors: ["5 services.web.env_file: file '.env.local' does not exist"],
    blind: true,
  },
  {
    what: 'one of env_file that does not exist',
    text: `${web}env_file = [\n  ".env.local",\n]`,
    errors: ["6 services.web.env_file[0]: file '.env.local' does not exist"],
    blind: true,
  },
  {
    what: 'an env_file that is a number',
    text: `${web}env_file = 1`,
    errors: ['5 services.web.env_file: must be a file or an array of files, not a number'],
  },
  {
    what: 'a route to an unknown service',
    text: `${web}[routes]\n"/api" = "wbe"`,
    errors: ["6 routes.\"/api\": unknown service 'wbe'; did you mean 'web'?"],
    blind: true,
  },
  {
    what: 'a route to what serves no HTTP',
    text: `${head}[services.db]\ntype = "postgres"\n[routes]\n"/api" = "db"`,
    errors: ["6 routes.\"/api\": service 'db' is of type 'postgres', which serves no HTTP"],
    blind: true,
  },
  {
    what: 'a route that is no path',
    text: `${web}[routes]\napi = "web"`,
    errors: ["6 routes.api: a route must start with '/'"],
  },
  {
    what: 'a route with a query',
    text: `${web}[routes]\n"/a?b" = "web"`,
    errors: ["6 routes.\"/a?b\": a route is a path: no spaces, '?' or '#'"],
  },
  {
    what: 'a route twice',
    text: `${web}[routes]\n"/api" = "web"\n"/api/" = "web"`,
    errors: ['7 routes."/api/": is there twice, with and without a slash at its end'],
    blind: true,
  },
  {
    what: 'a route that is a number',
    text: `${web}[routes]\n"/api" = 1`,
    errors: ['6 routes."/api": must be the name of a service, or a table with service and strip_prefix, not a number'],
  },
  {
    what: 'a route with an unknown key',
    text: `${web}[routes]\n"/api" = { service = "web", strip = true }`,
    errors: ['6 routes."/api".strip: unknown key; did you mean \'strip_prefix\'?'],
  },
  {
    what: 'a route without a service',
    text: `${web}[routes]\n"/api" = { strip_prefix = true }`,
    errors: ['6 routes."/api".service: missing key'],
  },
  {
    what: 'strip_prefix that is no boolean',
    text: `${web}[routes]\n"/api" = { service = "web", strip_prefix = "yes" }`,
    errors: ['6 routes."/api".strip_prefix: must be true or false, not a string'],
  },
  {
    what: 'a plugin that is a table',
    text: `${head}[plugins.redis]\nversion = "1"`,
    errors: ['3 plugins.redis: must be a range of versions such as "^1.2", not a table'],
  },
  {
    what: 'a plugin without a range',
    text: `${head}[plugins]\nredis = ""`,
    errors: ['4 plugins.redis: must not be empty'],
  },
]
