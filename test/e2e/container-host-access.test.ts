import { configuration, containerOf } from '../lib/containers-project.ts'
import { until } from '../lib/running.ts'
import { onEngine } from './container-suite.ts'

/** Listens on 127.0.0.1 alone, and sends back what it gets. */
const server = `require('node:net').createServer(it => it.pipe(it)).listen(process.env.PORT, '127.0.0.1')\n`

onEngine('a container reaches the host services that it refers to, and no others', async (t, sandbox) => {
  const command = 'exec node server.cjs'
  const folder = sandbox.project('shop', {
    'server.cjs': server,
    'locald.toml': configuration('shop', {
      api: { command },
      other: { command },
      worker: {
        image: await sandbox.image('busybox'),
        command: ['sleep', '1000'],
        env: { API_HOST: '${' + 'services.api.host}', API_PORT: '${' + 'services.api.port}' },
        depends_on: ['api'],
      },
    }),
  })
  await sandbox.up(folder)
  const { port: other } = await sandbox.service(folder, 'other')
  const worker = await containerOf(sandbox, 'shop', 'worker')
  const say = async (host: string, port: string): Promise<string> =>
    (await sandbox.engine(['exec', worker, 'sh', '-c', `echo hello | timeout 20 nc ${host} ${port}`]).done).stdout
  t.equal(await say('$API_HOST', '$API_PORT'), 'hello\n')
  t.equal(await say('host.docker.internal', '$API_PORT'), 'hello\n')
  t.equal(await say('host.docker.internal', String(other)), '')

  await sandbox.ok(['server', 'restart'])
  t.equal(await say('$API_HOST', '$API_PORT'), 'hello\n', 'by the next daemon, too')
  await sandbox.ok(['stop'], { cwd: folder })
  t.same([await sandbox.containers(), await sandbox.networks()], [[], []], 'the forwarder is removed, too')
})

/** Listens on 127.0.0.1 only; answers with its name and what it was asked for. */
const web = `import { createServer } from 'node:http'
const { NAME, PORT } = process.env
createServer((request, response) => response.end(NAME + ' got ' + request.url + '\\n')).listen(Number(PORT), '127.0.0.1')
`

/** A reference in a configuration. */
const of = (field: string) => `\${services.${field}}`

onEngine(
  'a container calls a native service by its URL, many times at once, after a restart and from the next daemon',
  async (t, sandbox) => {
    const native = { command: `exec ${process.execPath} server.mjs` }
    const folder = sandbox.project('host', {
      'server.mjs': web,
      'locald.toml': configuration('host', {
        api: { ...native, env: { NAME: 'api' } },
        other: { ...native, env: { NAME: 'other' } },
        work: {
          image: await sandbox.image('busybox'),
          command: ['sleep', '1000'],
          depends_on: ['api'],
          env: { API_URL: of('api.url'), API_HOST: of('api.host'), API_PORT: of('api.port') },
        },
      }),
    })
    await sandbox.up(folder)
    const [api, other] = await Promise.all(['api', 'other'].map(name => sandbox.service(folder, name)))
    const work = await containerOf(sandbox, 'host', 'work')
    const inside = async (script: string) => await sandbox.engine(['exec', work, 'sh', '-c', script]).done
    const fetched = async (url: string) => await inside(`timeout 10 wget -qO- ${url}`)

    t.match(await inside('echo $API_HOST $API_PORT'), { stdout: `host.docker.internal ${api?.port}\n` })
    t.match(await fetched('$API_URL/from/container'), { code: 0, stdout: 'api got /from/container\n' })
    t.match(await fetched(`http://host.docker.internal:${api?.port}/x`), { code: 0, stdout: 'api got /x\n' })
    const many = await inside('for i in 1 2 3 4 5 6 7 8; do timeout 20 wget -qO- $API_URL/$i & done; wait')
    t.equal(many.stdout.split('\n').filter(line => line !== '').length, 8, 'at the same time')
    t.not((await fetched(`http://host.docker.internal:${other?.port}/`)).code, 0, 'not what it does not refer to')

    const answers = async (path: string) =>
      await until(`an answer to ${path}`, async () => {
        const ran = await fetched(`$API_URL${path}`)
        return ran.code === 0 ? ran.stdout : undefined
      })
    await sandbox.ok(['restart', 'api'], { cwd: folder })
    t.equal(await answers('/restarted'), 'api got /restarted\n')
    process.kill((await sandbox.server()).pid, 'SIGKILL')
    await sandbox.status(folder)
    t.equal(await answers('/adopted'), 'api got /adopted\n', 'the next daemon lets it through')
    await sandbox.ok(['stop'], { cwd: folder })
    t.same([await sandbox.containers(), await sandbox.networks()], [[], []])
  },
)
