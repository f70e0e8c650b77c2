/** Each compose file of the corpus, translated and started: all services answer on their ports. */
import { readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ContainerSandbox, isOwnEngine, noContainers } from '../lib/containers.ts'
import { root } from '../lib/user.ts'
import { tagStandIns } from './compose-images.ts'

const corpus = join(root, 'test', 'plugins', 'project-sources', 'compose', 'corpus')
const names = readdirSync(corpus)
const texts = names.map(name => readFileSync(join(corpus, name, 'expected.toml'), 'utf8'))

/** Containers of so many projects are started at the same time. */
const width = 4
/** One project, on a busy machine: ms. */
const limitMs = 120_000

/** Returns what follows `key = ` in the expected files, and in the Dockerfiles of the corpus what is built from. */
function findImages(): readonly string[] {
  const written = texts.flatMap(text => [...text.matchAll(/^image = "(.*)"/gm)].map(([, image = '']) => image))
  const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter(file => /Dockerfile[^/]*$/.test(file))
  const bases = files.flatMap(file =>
    [...readFileSync(join(corpus, file), 'utf8').matchAll(/^FROM (\S+:\S+)/gm)].map(([, image = '']) => image),
  )
  return [...new Set([...written, ...bases])]
}

function findPorts(): readonly number[] {
  const lines = texts.flatMap(text => [...text.matchAll(/^(?:container_port|ports) = (.*?)(?: {2}#|$)/gm)])
  return [...new Set(lines.flatMap(([, value = '']) => value.match(/\d+/g) ?? []).map(Number))]
}

/** Its images have the names of real ones, which another engine keeps. */
const skip = noContainers || (!isOwnEngine && 'the stand-ins would replace images of this engine')

t.test('every project of the corpus comes up and answers', { skip, timeout: 600_000 }, async t => {
  const sandbox = new ContainerSandbox(t)
  await tagStandIns(sandbox, findPorts(), findImages())
  await sandbox.ok(['server', 'start'])
  t.jobs = width
  for (const name of names)
    void t.test(name, { buffered: true, timeout: limitMs }, async t => await checkProject(t, sandbox, name))
})

async function checkProject(t: Test, sandbox: ContainerSandbox, name: string): Promise<void> {
  const folder = sandbox.copy(join(corpus, name), name)
  t.teardown(async () => await sandbox.run(['stop'], { cwd: folder }))
  await sandbox.ok(['init', '--from', 'compose'], { cwd: folder })
  const toml = readFileSync(join(folder, 'locald.toml'), 'utf8')
  t.equal(withoutComments(toml), readFileSync(join(folder, 'expected.toml'), 'utf8'), 'is translated as expected')
  await sandbox.ok(['up'], { cwd: folder, limitMs })
  for (const { name: service, status, port } of await sandbox.status(folder)) {
    const [, inside] =
      new RegExp(`^\\[services\\.${service}\\]\n(?:.+\n)*?container_port = (\\d+)`, 'm').exec(toml) ?? []
    if (port === null) t.match(status, /^(?:running|exited)$/, service)
    else t.equal(await textAt(port), `port ${inside}`, service)
  }
}

/** What could run without a container depends on the programs of this machine. */
function withoutComments(toml: string): string {
  return toml.replace(/^# Without a container: command = .*\n/gm, '')
}

async function textAt(port: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', part => {
        text += part
      })
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}
