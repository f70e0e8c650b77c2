import { head, variable, type WrongFile, web } from './wrong-file.ts'

export const environment: readonly WrongFile[] = [
  {
    title: 'a bad name of a variable',
    text: `${head}[env]\n"A-B" = "x"\n9A = "x"`,
    problems: [`4 env.A-B: ${variable}`, `5 env.9A: ${variable}`],
  },
  {
    title: 'a variable that is an array',
    text: `${web}[services.web.env]\nA = []`,
    problems: ['6 services.web.env.A: must be a string, a number, or true or false, not an array'],
  },
  {
    title: 'a variable that is a date',
    text: `${head}[env]\nA = 2020-01-01`,
    problems: ['4 env.A: must be a string, a number, or true or false, not a date'],
  },
  {
    title: 'a variable with a NUL',
    text: `${head}[env]\nA = "\\u0000"`,
    problems: ['4 env.A: has a NUL character, which no environment can hold'],
    isBeyondSchema: true,
  },
  {
    title: 'an env that is no table',
    text: `${web}env = ["A=1"]`,
    problems: ['5 services.web.env: must be a table of names and values, not an array'],
  },
  {
    title: 'an unclosed reference',
    text: `${head}[env]\nA = "a\${B"`,
    problems: [`4 env.A: has a \${ at column 2 that is never closed`],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to nothing',
    text: `${head}[env]\nA = "\${}"`,
    problems: [`4 env.A: has a \${…} at column 1 that names nothing`],
    isBeyondSchema: true,
  },
  {
    title: 'a reference with an unknown operator',
    text: `${head}[env]\nA = "\${B:+c}"`,
    problems: [`4 env.A: has a \${…} at column 1 with neither ':-' nor ':?' after its name`],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to an unknown service',
    text: `${web}[services.api]\ncommand = "x"\nenv = { A = "\${services.wbe.url}" }`,
    problems: [`7 services.api.env.A: unknown service 'wbe' in \${services.wbe.…}; did you mean 'web'?`],
    isBeyondSchema: true,
  },
  {
    title: 'a reference in a default',
    text: `${head}[env]\nA = "\${B:-\${services.api.url}}"`,
    problems: [`4 env.A: unknown service 'api' in \${services.api.…}`],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to an unknown field',
    text: `${web}[env]\nA = "\${services.web.prot}"`,
    problems: ["6 env.A: service 'web' has no 'prot', only port, host, url; did you mean 'port'?"],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to the port of a type without one',
    text: `${head}[services.q]\ntype = "worker"\ncommand = "x"\n[env]\nA = "\${services.q.port}"`,
    problems: ["7 env.A: service 'q' has no port, host or url: type 'worker' has no network"],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to a port that a service does not have inside',
    text: `${head}[services.s]\ntype = "container"\nimage = "i"\ncontainer_port = 9000\nports = [9001]\n[env]
A = "\${services.s.ports.9002}"
B = "\${services.s.ports.9000}\${services.s.ports.9001:-x}\${services.s.host}"`,
    problems: [
      "9 env.A: service 's' has no 'ports.9002', only port, host, url, ports.9000, ports.9001; did you mean 'ports.9000'?",
    ],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to the port of a service without one, whose type leaves that to its keys',
    text: `${head}[services.s]\ntype = "container"\nimage = "i"\n[env]\nA = "\${services.s.port}"`,
    problems: ["7 env.A: service 's' has no port, host or url: type 'container' has no network with these keys"],
    isBeyondSchema: true,
  },
  {
    title: 'a reference to a further port of a type that has exports',
    text: `${head}[services.db]\ntype = "postgres"\n[env]\nA = "\${services.db.ports.1}"`,
    problems: ["6 env.A: service 'db' has no 'ports.1', only port, host, url"],
    isBeyondSchema: true,
  },
  {
    title: 'an env_file that does not exist',
    text: `${web}env_file = ".env.local"`,
    problems: ["5 services.web.env_file: file '.env.local' does not exist"],
    isBeyondSchema: true,
  },
  {
    title: 'one of env_file that does not exist',
    text: `${web}env_file = [\n  ".env.local",\n]`,
    problems: ["6 services.web.env_file[0]: file '.env.local' does not exist"],
    isBeyondSchema: true,
  },
  {
    title: 'an env_file that is a number',
    text: `${web}env_file = 1`,
    problems: ['5 services.web.env_file: must be a file or an array of files, not a number'],
  },
]
