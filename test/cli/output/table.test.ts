import stringWidth from 'string-width'
import t from 'tap'
import { formatTrustHint } from '../../../cli/follow/trust-hint.ts'
import { type Cell, table } from '../../../cli/output/table.ts'
import { view } from '../fake-daemon.ts'

const plain = (_style: string, text: string) => text
const heading = ['NAME', 'STATUS', 'PID', 'PATH']
const rows = [
  { cells: ['web', 'Running', '4242', '/home/me/projects/shop'].map(text => ({ text })), note: 'a note' },
  { cells: ['worker', 'Stopped', '-', '/home/me'].map(text => ({ text })) },
]

t.test('prints all columns without a terminal', async t => {
  t.equal(
    table(heading, rows, plain),
    `NAME    STATUS   PID   PATH
web     Running  4242  /home/me/projects/shop
  a note
worker  Stopped  -     /home/me`,
  )
})

t.test('drops columns in their order until the rest fits', async t => {
  const at = (columns: number) => table(heading, rows, plain, { columns, drop: ['PID', 'STATUS'] }).split('\n')
  const widest = (lines: readonly string[]) => Math.max(...lines.map(line => line.length))
  t.equal(at(45)[0], 'NAME    STATUS   PID   PATH', 'all fit exactly')
  t.equal(at(44)[0], 'NAME    STATUS   PATH')
  t.equal(at(38)[1], 'web     /home/me/projects/shop')
  t.equal(at(20)[1], 'web     …ojects/shop', 'then the last one is cut')
  for (const columns of [20, 30, 38, 44, 45]) t.ok(widest(at(columns)) <= columns, `${columns} columns`)
  t.equal(at(10)[1], 'web     …ts/shop', 'but for its last characters')
})

t.test('breaks notes between words, cuts long names, and counts the columns of wide characters', async t => {
  const names = ['a-very-long-name-of-a-service', '数据库服务器的名字', 'mail ✅']
  const note = 'exited with code 1: connect ECONNREFUSED 127.0.0.1:5432; restarting in 0.4 s'
  const wide = names.map(text => ({ cells: [{ text }, { text: 'Failed' }, { text: 'https://日本.localhost' }], note }))
  const head = ['NAME', 'STATUS', 'URL']
  for (const columns of [40, 60, 72]) {
    const lines = table(head, wide, plain, { columns, drop: ['PID'] }).split('\n')
    for (const line of lines) t.ok(stringWidth(line) <= columns, `${columns}: ${line}`)
    const starts = lines.filter(line => line.includes('Failed')).map(line => stringWidth(line.split('Failed')[0] ?? ''))
    t.equal(new Set(starts).size, 1, 'columns are aligned')
    t.equal(
      lines
        .filter(line => line.startsWith('  '))
        .join('')
        .replaceAll(/\s+/g, ' ')
        .split('0.4 s').length,
      4,
    )
    for (const line of lines.filter(line => line.startsWith('  '))) t.match(line, /^ {2}\S/)
  }
  t.match(table(head, wide, plain), `  ${note}\n`, 'whole where there is no terminal')
})

t.test('cuts the wider of the first and the last column, and keeps the end of keys', t => {
  const key = { text: 'shop-of-the-customers:web', keeps: 'end' } as const
  const at = (first: Cell, columns: number) =>
    table(['NAME', 'URL'], [{ cells: [first, { text: 'https://web.localhost:8443' }] }], plain, { columns, drop: [] })
  t.match(
    at({ text: 'a-name-of-forty-columns-that-is-far-wider' }, 60),
    '\na-name-of-forty-columns-that-is…  https://web.localhost:8443',
  )
  t.match(at(key, 40), '\n…-the-customers:web  …web.localhost:8443')
  t.match(at({ text: 'web' }, 20), '\nweb   …ocalhost:8443')
  t.end()
})

t.test('hints at `locald trust` only for HTTPS URLs that browsers do not trust', async t => {
  const services = [view('api'), view('web', { url: 'https://shop.localhost:8443' }), view('db', { url: null })]
  const hint = 'Browsers will warn until you run `locald trust`\nWithout TLS  http://shop.localhost:8080'
  t.equal(formatTrustHint(services, { isTrusted: false, http: 8080 }), hint)
  t.match(formatTrustHint(services, { isTrusted: false, http: 80 }), /^Without TLS {2}http:\/\/shop\.localhost$/m)
  t.equal(
    formatTrustHint(services, { isTrusted: false, http: null }),
    'Browsers will warn until you run `locald trust`',
  )
  t.equal(formatTrustHint(services, { isTrusted: true, http: 80 }), undefined)
  t.equal(formatTrustHint(services, undefined), undefined)
  t.equal(formatTrustHint([view('web', { url: 'http://shop.localhost' })], { isTrusted: false, http: 80 }), undefined)
})
