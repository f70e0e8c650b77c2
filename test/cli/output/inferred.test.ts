import t from 'tap'
import { formatInferred as format } from '../../../cli/output/inferred.ts'

function formatInferred(shown: Parameters<typeof format>[0]) {
  return format(shown, '/shop')
}

function event(...services: readonly (readonly [name: string, command: string | null, file?: string])[]) {
  return {
    event: 'project',
    ...{ project: 'shop', path: '/shop', domain: 'shop.localhost' },
    inferred: {
      file: 'package.json',
      services: services.map(([name, command, file = 'package.json']) => ({
        ...{ name, command, file },
        type: command === null ? 'site' : 'exec',
      })),
      notes: [],
    },
  } as const
}

t.test('one service takes one line, several one each, many six', async t => {
  t.strictSame(formatInferred(event(['web', 'pnpm run dev'])), [
    'No locald.toml: running `pnpm run dev` of package.json',
  ])
  t.strictSame(formatInferred(event(['web', null, 'index.html'])), [
    'No locald.toml: running a service of type site, because of index.html',
  ])
  t.strictSame(formatInferred(event(['web', 'npm run dev', 'apps/web/package.json'], ['worker', 'x'])), [
    'No locald.toml: 2 services of package.json',
    '  web     running `npm run dev` of apps/web/package.json',
    '  worker  running `x` of package.json',
  ])
  const many = Array.from({ length: 9 }, (_, index) => [`s${index}`, 'x'] as const)
  const lines = formatInferred(event(...many))
  t.equal(lines.length, 6)
  t.equal(lines.at(-1), '  and 5 more, see `locald config show`')
  t.equal(formatInferred(event(...many.slice(0, 5))).length, 6)
})

t.test('notes follow, on lines of their own', async t => {
  const one = event(['web', 'x'])
  const noted = { ...one, inferred: { ...one.inferred, notes: ['a\x1b[2J', 'b'] } }
  t.strictSame(formatInferred(noted).slice(1), ['Note: a\\u001b[2J', 'Note: b'])
  const many = event(['web', 'x'], ['api', 'y'])
  t.strictSame(formatInferred({ ...many, inferred: { ...many.inferred, notes: ['c'] } }).slice(3), ['Note: c'])
})

t.test('nothing is printed of a project with a file, and control characters are not', async t => {
  t.strictSame(formatInferred({ event: 'project', project: 'shop', path: '/shop', domain: 'x' }), [])
  t.strictSame(formatInferred(event()), [])
  t.notMatch(formatInferred(event(['web', 'a\x1b]0;x\x07\nb'])).join(''), /[\x07\x1b\n]/)
})

t.test('the folder is named for a caller in another one', async t => {
  const one = event(['web', 'npm run dev'])
  t.strictSame(format(one, '/shop/src'), ['No locald.toml: running `npm run dev` of package.json in /shop'])
})
