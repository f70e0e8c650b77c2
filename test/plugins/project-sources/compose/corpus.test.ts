/** Compose files as developers write them, each with the locald.toml and the list that are expected. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { data, failureOf, findingLines, loadToml, projectFrom, translate } from './translate.ts'

const corpus = readdirSync(join(data, 'corpus'))
const refused = readdirSync(join(data, 'refused'))

/** Whether the expected files are written instead of compared: after a change that was read by eye. */
const writes = process.env['UPDATE'] === '1'

function expected(name: string, file: string, text: string): string {
  const path = join(data, 'corpus', name, file)
  if (writes) writeFileSync(path, text)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

for (const name of corpus) {
  t.test(`translates ${name}, and locald reads the result`, async t => {
    const root = projectFrom('corpus', name)
    const { toml, dropped, changed, services } = await translate(root)
    t.equal(toml, expected(name, 'expected.toml', toml))
    const lines = [
      'Not carried over:',
      ...findingLines(root, dropped),
      'Different from compose:',
      ...findingLines(root, changed),
    ]
    const list = `${lines.join('\n')}\n`
    t.equal(list, expected(name, 'expected.txt', list))
    const { plan } = await loadToml(root, toml)
    t.strictSame(
      plan.services.map(service => service.name),
      services,
    )
  })
}

for (const file of refused) {
  t.test(`refuses ${file} by the names of its keys, all at once`, async t => {
    const text = readFileSync(join(data, 'refused', file), 'utf8')
    const marks = text.split('\n').flatMap((line, index) => {
      const [, keys] = /# refused: (.*)$/.exec(line) ?? []
      return keys === undefined ? [] : keys.split(' ').map(key => `${index + 1} ${key}`)
    })
    const error = await failureOf(translate(join(data, 'refused'), [file]))
    t.equal(error.code, 'IMPORT_UNSUPPORTED')
    t.strictSame(
      error.problems.map(({ line, key }) => `${line} ${key}`),
      marks,
    )
  })
}

t.test('has 15 files that are translated and 10 that are refused', async t => {
  t.equal(corpus.length, 15)
  t.equal(refused.length, 10)
})
