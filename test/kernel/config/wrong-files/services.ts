import { head, label, times, type WrongFile, web } from './wrong-file.ts'

export const services: readonly WrongFile[] = [
  {
    title: 'a name of a service that is no label',
    text: `${head}[services.Web_1]\ncommand = "x"`,
    problems: [`3 services.Web_1: a service's name ${label}`],
  },
  {
    title: 'a service that is no table',
    text: `${head}[services]\nweb = "x"`,
    problems: ['4 services.web: must be a table, not a string'],
  },
  {
    title: 'services that are no table',
    text: `services = []\n${head}`,
    problems: ['1 services: must be a table, not an array'],
  },
  {
    title: 'a type that is no string',
    text: `${web}type = 1`,
    problems: ['5 services.web.type: must be the name of a service type, not a number'],
  },
  {
    title: 'a port that is a string',
    text: `${web}port = "80"`,
    problems: ['5 services.web.port: must be a number from 1 to 65535, not a string'],
  },
  {
    title: 'port 0',
    text: `${web}port = 0`,
    problems: ['5 services.web.port: must be a whole number from 1 to 65535'],
  },
  {
    title: 'port 65536',
    text: `${web}port = 65536`,
    problems: ['5 services.web.port: must be a whole number from 1 to 65535'],
  },
  {
    title: 'half a port',
    text: `${web}port = 80.5`,
    problems: ['5 services.web.port: must be a whole number from 1 to 65535'],
  },
  {
    title: 'one port twice',
    text: `${web}port = 80\n[services.api]\ncommand = "x"\nport = 80`,
    problems: ["8 services.api.port: service 'web' has port 80 already"],
    isBeyondSchema: true,
  },
  {
    title: 'a port of a type without one',
    text: `${head}[services.q]\ntype = "worker"\ncommand = "x"\nport = 80`,
    problems: ["6 services.q.port: type 'worker' has no port"],
    isBeyondSchema: true,
  },
  {
    title: 'a health check by port of a type without one',
    text: `${head}[services.q]\ntype = "worker"\ncommand = "x"\nhealth_check = { type = "tcp" }`,
    problems: ["6 services.q.health_check: needs a port, and type 'worker' has none"],
    isBeyondSchema: true,
  },
  {
    title: 'a health check by notification of a guest',
    text: `${head}[services.q]\ntype = "container"\nimage = "i"\nhealth_check = { type = "notify" }`,
    problems: [
      `6 services.q.health_check: type "notify" needs a process of this machine, and services of type 'container' have none`,
    ],
    isBeyondSchema: true,
  },
  {
    title: 'a port of a service without one, whose type leaves that to its keys',
    text: `${head}[services.q]\ntype = "container"\nimage = "i"\nport = 80`,
    problems: ["6 services.q.port: type 'container' has no port with these keys"],
    isBeyondSchema: true,
  },
  {
    title: 'a workdir that is no string',
    text: `${web}workdir = []`,
    problems: ['5 services.web.workdir: must be a string, not an array'],
  },
  {
    title: 'a workdir that is empty',
    text: `${web}workdir = " "`,
    problems: ['5 services.web.workdir: must not be empty'],
  },
  {
    title: 'an unknown dependency',
    text: `${web}[services.db]\ntype = "postgres"\n[services.api]\ncommand = "x"\ndepends_on = [\n  "web",\n  "dbb",\n]`,
    problems: ["11 services.api.depends_on[1]: unknown service 'dbb'; did you mean 'db'?"],
    isBeyondSchema: true,
  },
  {
    title: 'an unknown dependency in a table',
    text: `${web}[services.web.depends_on]\nnothing-like-it = "ready"`,
    problems: ["6 services.web.depends_on.nothing-like-it: unknown service 'nothing-like-it'"],
    isBeyondSchema: true,
  },
  {
    title: 'an unknown condition',
    text: `${web}depends_on = { db = "read" }\n[services.db]\ntype = "postgres"`,
    problems: ['5 services.web.depends_on.db: must be one of "ready", "started", "completed"; did you mean \'ready\'?'],
  },
  {
    title: 'dependencies that are a string',
    text: `${web}depends_on = "db"`,
    problems: [
      '5 services.web.depends_on: must be an array of services, or a table such as { db = "ready" }, not a string',
    ],
  },
  {
    title: 'a dependency on itself',
    text: `${web}depends_on = ["web"]`,
    problems: ['5 services.web.depends_on[0]: depends on itself: web → web'],
    isBeyondSchema: true,
  },
  {
    title: 'an unknown restart',
    text: `${web}restart = "on_failure"`,
    problems: ['5 services.web.restart: must be one of "no", "on-failure", "always"; did you mean \'on-failure\'?'],
  },
  {
    title: 'a restart that is no word',
    text: `${web}restart = false`,
    problems: ['5 services.web.restart: must be one of "no", "on-failure", "always"'],
  },
  {
    title: 'an unknown signal',
    text: `${web}stop_signal = "SIGTREM"`,
    problems: ["5 services.web.stop_signal: unknown signal; did you mean 'SIGTERM'?"],
    isBeyondSchema: true,
  },
  {
    title: 'a signal that is a number',
    text: `${web}stop_signal = 15`,
    problems: ['5 services.web.stop_signal: must be the name of a signal, not a number'],
  },
  {
    title: 'a time without a unit',
    text: `${web}ready_timeout = "30"`,
    problems: [`5 services.web.ready_timeout: ${times}`],
  },
  { title: 'a time below 0', text: `${web}stop_timeout = -1`, problems: [`5 services.web.stop_timeout: ${times}`] },
  {
    title: 'an idle time that a page would outlast',
    isBeyondSchema: true,
    text: `${web}idle = "500ms"`,
    problems: ['5 services.web.idle: must be 0 or at least 1 s'],
  },
  {
    title: 'a time of 0 to become ready',
    text: `${web}ready_timeout = 0`,
    problems: ['5 services.web.ready_timeout: must be more than 0'],
  },
  {
    title: 'a time that is longer than any timer',
    text: `${web}ready_timeout = 9e9`,
    problems: [`5 services.web.ready_timeout: ${times}`],
    isBeyondSchema: true,
  },
  {
    title: 'an infinite time',
    text: `${web}ready_timeout = inf`,
    problems: [`5 services.web.ready_timeout: ${times}`],
    isBeyondSchema: true,
  },
  {
    title: 'a watch that is a string',
    text: `${web}watch = "src/**"`,
    problems: ['5 services.web.watch: must be an array of glob patterns, not a string'],
  },
  {
    title: 'a watch with a number',
    text: `${web}watch = ["a", 1]`,
    problems: ['5 services.web.watch[1]: must be a string, not a number'],
  },
  {
    title: 'an unknown health check',
    text: `${web}health_check = { type = "htp" }`,
    problems: [
      '5 services.web.health_check.type: must be one of "http", "tcp", "command", "notify", "log"; did you mean \'http\'?',
    ],
  },
  {
    title: 'a health check without a type',
    text: `${web}health_check = { path = "/" }`,
    problems: ['5 services.web.health_check.type: missing key: one of "http", "tcp", "command", "notify", "log"'],
  },
  {
    title: 'a health check that is a number',
    text: `${web}health_check = 1`,
    problems: ['5 services.web.health_check: must be a table with a type, or a command as a string, not a number'],
  },
  {
    title: 'a path without a slash',
    text: `${web}health_check = { type = "http", path = "healthz" }`,
    problems: ["5 services.web.health_check.path: must start with '/'"],
  },
  {
    title: 'a path with a space',
    text: `${web}health_check = { type = "http", path = "/a b" }`,
    problems: ['5 services.web.health_check.path: must not have spaces or control characters: write %20 for a space'],
  },
  {
    title: 'a key of another health check',
    text: `${web}health_check = { type = "tcp", path = "/" }`,
    problems: ['5 services.web.health_check.path: unknown key'],
  },
  {
    title: 'a health check without its command',
    text: `${web}[services.web.health_check]\ntype = "command"`,
    problems: ['5 services.web.health_check.command: missing key'],
  },
  {
    title: 'an empty health command',
    text: `${web}health_check = ""`,
    problems: ['5 services.web.health_check: must not be empty'],
  },
  {
    title: 'a pattern that is no regular expression',
    text: `${web}health_check = { type = "log", pattern = "(" }`,
    problems: ['5 services.web.health_check.pattern: is not a valid JavaScript regular expression'],
    isBeyondSchema: true,
  },
  {
    title: 'an interval of 0',
    text: `${web}health_check = { type = "tcp", interval = 0 }`,
    problems: ['5 services.web.health_check.interval: must be more than 0'],
  },
]
