import t from 'tap'
import { loadProject } from '../../../../kernel/config/load.ts'
import { failure, folder, load, problemLines, types } from '../projects.ts'
import { head, web } from '../wrong-files/index.ts'

t.test('keeps numbers in variables as they are written', async t => {
  const text = `${head}[env]
PY = 3.10
API=1.0 # one
BIG = 1e6
PLUS = +5
N = 4
T = true
"q" = 0.50
S = "x = 1.0"
ID = 9007199254740993
MIN = -9223372036854775808
[services.web]
command = "x"
env = { A = 2.0, B = 7 }
ready_timeout = 1.50
[services.b]
command = "x"
env.V = 18.00
`
  const { plan } = await load({ 'locald.toml': text })
  t.strictSame(plan.env, {
    PY: '3.10',
    API: '1.0',
    BIG: '1e6',
    PLUS: '+5',
    N: '4',
    T: 'true',
    q: '0.50',
    ...{ S: 'x = 1.0', ID: '9007199254740993', MIN: '-9223372036854775808' },
  })
  t.strictSame(
    plan.services.map(({ common }) => common.env),
    [{ A: '2.0', B: '7' }, { V: '18.00' }],
  )
  t.equal(plan.services[0]?.common.readyTimeout, 1500)
  const layer = folder({ 'locald.toml': web, '../.locald.toml': '[env]\nA = 1.20\n' })
  t.strictSame((await loadProject(layer.root, types, layer.places)).plan.env, { A: '1.20' }, 'in each layer')
  const odd = `${head}[env]\nA = 0o755\nB = 0xff\nC = 0b1\nD = 1_000\nE = inf\nF = -nan\nG = 0x7fffffffffffffff\n`
  const error = await failure(load({ 'locald.toml': odd }))
  t.strictSame(
    problemLines(error.problems),
    ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map(
      (name, at) => `${at + 4} env.${name}: unsupported number format for a variable`,
    ),
  )
  t.match(error.problems[0]?.hint, /in quotes/)
  const large = await failure(load({ 'locald.toml': `${head}[env]\nA = [9007199254740993]\nB = 1979-05-27\n` }))
  t.strictSame(problemLines(large.problems), [
    '4 env.A: must be a string, a number, or true or false, not an array',
    '4 env.A[0]: the integer is too large',
    '5 env.B: must be a string, a number, or true or false, not a date',
  ])
  t.match(large.problems[2]?.hint, /in quotes/)
  const time = await failure(load({ 'locald.toml': `${web}ready_timeout = 9007199254740993\n` }))
  t.match(problemLines(time.problems), [/^5 services\.web\.ready_timeout: the integer is too large/])
  const port = await failure(load({ 'locald.toml': `${web}port = 99999999999999999999\n` }))
  t.equal(port.message, 'locald.toml:5: services.web.port: the integer is too large', 'and nothing else of it')
  const folderAsFile = await failure(load({ 'locald.toml': `${web}env_file = "."\n` }))
  t.match(folderAsFile.message, /^\.: is a folder/)
  const strings = `${head}[env]\nA = """\na\nb"""\nB = '''\nc\nd'''\nC = "e\\r\\n"\n`
  const crlf = await load({ 'locald.toml': strings.replaceAll('\n', '\r\n') })
  t.strictSame(crlf.plan.env, { A: 'a\nb', B: 'c\nd', C: 'e\r\n' }, 'converts line endings of Windows')
})
