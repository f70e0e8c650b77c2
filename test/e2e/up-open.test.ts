/** `locald up --open`: shows the URL in the browser once all is ready. */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { onlyLinux } from '../lib/machine.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const server = `import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
if (existsSync('fails')) process.exit(3)
setTimeout(() => {
  createServer((_, response) => response.end('ok')).listen(process.env.PORT, '127.0.0.1', () => writeFileSync('listening', ''))
}, 400)
`
const service = (name: string) => `[services.${name}]\ncommand = "exec node server.mjs"\nrestart = "no"\n`

t.test('up --open opens the browser', { skip: onlyLinux('the desktop is Linux’s') }, async t => {
  // Writes whether the server listened by then.
  const tools = t.testdir({
    'xdg-open': `#!/bin/sh\nls "$HOME/shop/listening" >/dev/null && echo "$* ready" >>"$HOME/opened"\necho . >>"$HOME/calls"\n`,
  })
  chmodSync(join(tools, 'xdg-open'), 0o755)
  const PATH = `${tools}:${dirname(process.execPath)}:/usr/bin:/bin`
  const sandbox = new Sandbox(t, { env: { PATH, DISPLAY: ':0' } })
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n${service('web')}${service('api')}`,
    'server.mjs': server,
  })
  const lines = (name: string) => {
    const file = join(sandbox.home, name)
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  const opened = async (calls: number) => await until('the browser', () => lines('calls').length >= calls)

  t.comment('not after a failure')
  sandbox.write(join(folder, 'fails'), '')
  t.equal((await sandbox.run(['up', '--open'], { cwd: folder })).code, 1)
  await sandbox.spawn(['rm', 'fails'], { cwd: folder }).done

  t.comment('once, when all is ready')
  t.equal((await sandbox.run(['up'], { cwd: folder })).code, 0)
  await sandbox.ok(['stop'], { cwd: folder })
  await sandbox.spawn(['rm', 'listening'], { cwd: folder }).done
  await sandbox.ok(['up', '--open'], { cwd: folder })
  await opened(1)
  const { https } = await sandbox.server()
  t.strictSame(lines('opened'), [`https://shop.localhost:${https} ready`])

  t.comment('the first one that is named; also when it runs already')
  await sandbox.ok(['up', 'api', '--open'], { cwd: folder })
  await opened(2)
  // Each call before this one would be listed by now.
  t.strictSame(lines('calls').length, 2)
  t.match(lines('opened')[1], /\/\/api\.shop\.localhost/)
})
