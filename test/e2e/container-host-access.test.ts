import { configuration, containerOf, onEngine } from './container-suite.ts'

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
