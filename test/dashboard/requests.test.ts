import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { checkPage, openDashboard } from '../lib/dashboard.ts'

const server = `import { createServer } from 'node:http'
createServer((req, res) => {
  let body = ''
  req.on('data', data => (body += data))
  req.on('end', () => {
    console.log('served', req.method, req.url.split('?')[0])
    if (req.url === '/fails') return res.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"no stock"}')
    if (req.url === '/events') return res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: first\\n\\n')
    res.writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'id=hidden-cookie' })
    res.end(JSON.stringify({ method: req.method, url: req.url, body, key: process.env.API_KEY }))
  })
}).listen(process.env.PORT)
`

onHost(
  'the requests of a project',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const project = sandbox.project('shop', {
      'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "node server.mjs"\n',
      'server.mjs': server,
      '.env': 'API_KEY=sk_hidden_0123456789\n',
    })
    await sandbox.up(project)
    const port = await sandbox.http()
    const send = (path: string, method = 'GET', body = '', headers: Record<string, string> = {}): Promise<void> =>
      new Promise((resolve, reject) => {
        const options = { port, host: '127.0.0.1', path, method, headers: { host: 'shop.localhost', ...headers } }
        const asking = request(options, response => response.resume().once('end', () => resolve()))
        asking.once('error', reject)
        asking.end(body)
      })
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/requests')
    const row = (text: string) => page.locator('[data-row]', { hasText: text })
    const detail = page.getByRole('article', { name: 'Request' })

    await t.test('lists them as they come, and filters', async t => {
      await page.getByText('No requests yet: open the URL of a service').waitFor()
      await page.getByText('curl -k https://shop.localhost').waitFor()
      // The first one shows that the page follows: from then on bodies are kept.
      await send('/first')
      await row('/first').waitFor()
      await send('/', 'GET', '', { 'sec-fetch-dest': 'document' })
      await send('/style.css', 'GET', '', { referer: 'http://shop.localhost/' })
      await send('/fails')
      await send('/events')
      await send('/orders?token=hidden-token', 'POST', '{"sku":"T-1"}', {
        ...{ 'content-type': 'application/json', cookie: 'id=hidden-id' },
      })
      await row('/orders').getByText('200').waitFor()
      const filter = page.getByRole('searchbox', { name: 'Filter requests' })
      await filter.fill('status:5xx')
      await page.getByText('1 of 6').waitFor()
      t.match(page.url(), /q=status%3A5xx/)
      await filter.fill('method:post service:web')
      await page.getByText('1 of 6').waitFor()
      await filter.fill('')
    })

    await t.test('shows one by the keyboard, without secrets until asked', async t => {
      await page.keyboard.press('Escape')
      await page.keyboard.press('j')
      await page.keyboard.press('Enter')
      await detail.getByText('POST /orders?token=••••').waitFor()
      await detail.getByText('"T-1"').first().waitFor()
      await detail.getByText('served POST').waitFor()
      t.notMatch(await page.content(), /hidden-(?:token|id|cookie)|sk_hidden/)
      t.notMatch(await page.title(), /hidden-(?:token|id|cookie)|sk_hidden/)
      await checkPage(t, page, 'requests-one')
      await page.keyboard.press('v')
      await detail.getByText('id=hidden-id').waitFor()
      await page.keyboard.press('v')
      await detail.getByText('id=hidden-id').waitFor({ state: 'hidden' })
    })

    await t.test('replays, compares and edits, and shows the new one', async t => {
      const before = page.url()
      await page.keyboard.press('r')
      await page.waitForURL(url => url.href !== before)
      await page.keyboard.press('d')
      await page.getByRole('region', { name: 'Comparison' }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('region', { name: 'Comparison' }).waitFor({ state: 'hidden' })
      await detail.waitFor()
      await page.keyboard.press('e')
      await page.getByLabel('Method and path').fill('PUT /orders?edited')
      await checkPage(t, page, 'requests-edit')
      await page.getByRole('button', { name: 'Send' }).click()
      await detail.getByText('PUT /orders?edited').first().waitFor()
      await detail.getByText('"PUT"').waitFor()
      await page.keyboard.press('c')
      await page.locator('.toast').getByText('Copied the request as curl').waitFor()
      const copied: string = await page.evaluate('navigator.clipboard.readText()')
      t.match(copied, /curl -X PUT \\\n {2}'http:\/\/shop\.localhost\/orders\?edited'/)
      t.notMatch(copied, /hidden-(?:token|id|cookie)|sk_hidden/)
    })

    await t.test('keeps the line endings of an edited body', async t => {
      await send('/lines', 'POST', 'one\r\ntwo\r\n', { 'content-type': 'text/plain' })
      await row('/lines').click()
      await detail.getByRole('heading', { name: 'POST /lines' }).waitFor()
      await page.keyboard.press('e')
      await page.getByRole('dialog').getByLabel('Body').fill('one\r\nthree\r\n')
      await page.getByRole('button', { name: 'Send' }).click()
      await detail.getByText('one\\r\\nthree\\r\\n').first().waitFor()
      await detail.getByText('"POST"').waitFor()
      t.equal(await page.getByRole('dialog').count(), 0)
    })

    await t.test('Escape closes the request', async () => {
      const other = await dashboard.visit(new URL(page.url()).pathname + new URL(page.url()).search)
      const pane = other.getByRole('article', { name: 'Request' })
      await pane.waitFor()
      await other.keyboard.press('Escape')
      await pane.waitFor({ state: 'hidden' })
      await other.close()
    })

    await t.test('exports HAR, pins, groups by page, and shows events', async t => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'HAR' }).first().click(),
      ])
      const har = readFileSync((await download.path()) ?? '', 'utf8')
      t.equal(JSON.parse(har).log.version, '1.2')
      t.notMatch(har, /hidden-(?:token|id|cookie)|sk_hidden/)
      await row('/events').click()
      await detail.getByText('data: first').waitFor()
      await page.keyboard.press('p')
      await row('/events').getByText('pinned').waitFor()
      await page.reload()
      await row('/events').getByText('pinned').waitFor()
      await page.getByRole('button', { name: 'Group by page' }).click()
      await page.locator('.nested').getByText('/style.css').waitFor()
      await page.close()
    })

    await t.test('looks well', async t => {
      await dashboard.checkLooks(t, '/requests', 'requests', it => it.getByText('/fails').waitFor())
    })

    await t.test('the CLI lists, shows and replays the same', async t => {
      const lines = (await sandbox.run(['requests', '--json', '--status', '5xx'], { cwd: project })).stdout
        .trim()
        .split('\n')
      const first: Record<string, unknown> = JSON.parse(lines[0] ?? '')
      const fields = 'id time method host path status service durationMs requestBytes responseBytes'
      t.strictSame(Object.keys(first), fields.split(' '))
      t.match(first, { path: '/fails', status: 500, service: 'shop:web', responseBytes: 20 })
      const shown = await sandbox.run(['requests', 'show', String(first['id'])], { cwd: project })
      t.match(shown.stdout, /^GET http:\/\/shop\.localhost\/fails\n[\s\S]*\n500 [\s\S]*\{"error":"no stock"\}/)
      const replayed = await sandbox.run(['replay', String(first['id']), '-H', 'X-A: b', '--json'], { cwd: project })
      t.match(JSON.parse(replayed.stdout), { path: '/fails', status: 500 })
      t.match(
        (await sandbox.run(['requests', '--path', '/o*', '-n', '1'], { cwd: project })).stdout,
        /PUT .* \/orders\?edited/,
      )
      const unknown = await sandbox.run(['replay', 'bcd99999'], { cwd: project })
      t.equal(unknown.code, 2)
      t.match(unknown.stderr, /\[UNKNOWN_REQUEST\]/)
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
