/**
 * Programs that read compose files and manifests accept what `locald export` writes for each project of the corpus of
 * compose files, and for the examples. At night (`LOCALD_NIGHTLY=1`) all projects, else none: the validators are fetched.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Sandbox } from '../lib/sandbox.ts'
import { root } from '../lib/sources.ts'

const corpus = join(root, 'test', 'plugins', 'project-sources', 'compose', 'corpus')
/** With the installation: ms. */
const validationMs = 300_000

t.setTimeout(1_800_000)

function validate(format: string, file: string): { readonly status: number | null; readonly said: string } {
  const words = [join(root, 'test', 'exports', 'run'), format, file]
  const { status, stdout, stderr } = spawnSync('bash', words, { encoding: 'utf8', timeout: validationMs })
  return { status, said: stdout + stderr }
}

if (process.env['LOCALD_NIGHTLY'] === '1') {
  t.test('validators accept every export', async t => {
    const sandbox = new Sandbox(t)
    const examples = ['shop', 'notes'].map(name =>
      sandbox.copy(join(root, 'examples', name), name, path => !path.includes('node_modules')),
    )
    const translated = readdirSync(corpus).map(name => sandbox.copy(join(corpus, name), `corpus-${name}`))
    for (const cwd of translated) await sandbox.ok(['init', '--from', 'compose'], { cwd })
    for (const cwd of [...examples, ...translated]) {
      for (const format of ['compose', 'kubernetes']) {
        const file = join(cwd, `exported-${format}.yaml`)
        await sandbox.ok(['export', format, '-o', file], { cwd })
        const { status, said } = validate(format, file)
        t.equal(status, 0, `${format} of ${cwd}: ${said}`)
      }
    }
  })

  t.test('validators reject what they do not know', async t => {
    const sandbox = new Sandbox(t)
    const folder = sandbox.project('wrong', {
      'compose.yaml': 'services:\n  web:\n    image: a\n    nosuch: 1\n',
      'kubernetes.yaml': 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  nosuch: 1\n',
    })
    for (const format of ['compose', 'kubernetes']) {
      const { status, said } = validate(format, join(folder, `${format}.yaml`))
      t.equal(status, 1, format)
      t.match(said, 'nosuch')
    }
  })
} else {
  t.pass('only at night')
}
