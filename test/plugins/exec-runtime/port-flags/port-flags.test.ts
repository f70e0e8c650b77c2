import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readPackageJson, scriptsOf } from '../../../../plugins/exec-runtime/package-json.ts'
import { withPortFlag } from '../../../../plugins/exec-runtime/port-flags/port-flags.ts'

interface Given {
  readonly command: string
  readonly manifest?: string
  readonly env?: Readonly<Record<string, string>>
  readonly hasWrittenPort?: boolean
}

t.test('the command of a service', async t => {
  let count = 0
  const adapt = async ({ command, manifest, env = {}, hasWrittenPort = false }: Given) => {
    const dir = t.testdir()
    const folder = join(dir, String(count++))
    mkdirSync(folder)
    if (manifest !== undefined) writeFileSync(join(folder, 'package.json'), manifest)
    return withPortFlag({ options: { command }, env, hasWrittenPort }, scriptsOf(await readPackageJson(folder)))
  }
  const manifest = JSON.stringify({ scripts: { dev: 'vite', bad: 3 } })

  t.strictSame(await adapt({ command: 'npm run dev\n', manifest }), {
    command: 'npm run dev -- --port $PORT --strictPort',
    env: {},
    reason: 'locald added `-- --port $PORT --strictPort`, as Vite does not read $PORT',
  })
  t.equal(await adapt({ command: 'npm run dev', manifest, hasWrittenPort: true }), undefined)
  t.equal(await adapt({ command: 'node server.js' }), undefined)

  await t.test('without a package.json that can be read', async t => {
    for (const text of [undefined, '', '{', 'null', '[]', '{"scripts":3}', '{"scripts":{"dev":3}}'])
      t.equal(await adapt({ command: 'npm run dev', ...(text === undefined ? {} : { manifest: text }) }), undefined)
  })

  await t.test("variables of a tool, not in place of the project's", async t => {
    t.match(await adapt({ command: 'ng serve' }), { env: { NG_CLI_ANALYTICS: 'false' } })
    t.strictSame((await adapt({ command: 'ng serve', env: { NG_CLI_ANALYTICS: 'true' } }))?.env, {})
    t.equal(await adapt({ command: 'flask run', env: { FLASK_RUN_PORT: '5001' } }), undefined)
    t.ok(await adapt({ command: 'flask run', env: { FLASK_RUN_PORT: '' } }))
  })

  await t.test('host names of another domain', async t => {
    const env = { __VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS: '.shop.test' }
    const added = '--allowed-hosts "$__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS"'
    t.match((await adapt({ command: 'webpack serve', env }))?.command, added)
    t.notMatch((await adapt({ command: 'webpack serve' }))?.command, '--allowed-hosts')
    t.notMatch((await adapt({ command: 'vite', env }))?.command, '--allowed-hosts', 'it reads the variable')
  })

  await t.test('links and live reload of Hugo', async t => {
    const added = async (url: string, command = 'hugo server') =>
      (await adapt({ command, env: { LOCALD_URL: url } }))?.command
    const links = 'hugo server --port $PORT --baseURL "$LOCALD_URL" --appendPort=false --liveReloadPort'
    t.equal(await added('https://shop.localhost:8443'), `${links} 8443`)
    t.equal(await added('https://shop.localhost'), `${links} 443`)
    t.equal(await added('http://shop.localhost'), `${links} 80`)
    for (const command of ['hugo server -b http://a/', 'hugo server --baseURL=http://a/'])
      t.equal(await added('https://shop.localhost', command), `${command} --port $PORT`)
    t.equal((await adapt({ command: 'hugo server' }))?.command, 'hugo server --port $PORT')
  })
})
