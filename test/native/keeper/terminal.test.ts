import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eachVariant, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, type Variant, variants } from '../../lib/keeper-programs.ts'
import { until } from '../../lib/running.ts'

const { asan, release, xnu } = variants()
const testProgram = buildTestProgram(ownFolder(t))
const args = ['--tty', '100x30']

/** What a program asks, and what it reads then; what is not known is not answered, as by a plain terminal. */
const queries: readonly (readonly [asked: string, answer: string])[] = [
  ['\x1b[6n', '^[[1;1R'],
  ['\x1b[?6n', '^[[?1;1R'],
  ['\x1b[c', '^[[?1;2c'],
  ['\x1b[0c', '^[[?1;2c'],
  ['\x1bZ', '^[[?1;2c'],
  ['\x1b[>c', '^[[>0;0;0c'],
  ['\x1b[=c', '^[P!|00000000^[\\'],
  ['\x1b[>0q', '^[P>|locald^[\\'],
  ['\x1b[?u', '^[[?0u'],
  ['\x1b[14t', '^[[4;480;800t'],
  ['\x1b[15t', '^[[5;480;800t'],
  ['\x1b[16t', '^[[6;16;8t'],
  ['\x1b[18t', '^[[8;30;100t'],
  ['\x1b[19t', '^[[9;30;100t'],
  ['\x1b[1t\x1b[11t\x1b[21t\x1b[8;30;100t', ''],
  ['\x1b[?2026$p', '^[[?2026;0$y'],
  ['\x1b[4$p', '^[[4;0$y'],
  ['\x1b]10;?\x07', '^[]10;rgb:ffff/ffff/ffff^G'],
  ['\x1b]11;?\x1b\\', '^[]11;rgb:0000/0000/0000^[\\'],
  ['\x1b]12;?\x07', '^[]12;rgb:ffff/ffff/ffff^G'],
  ['\x1b]10;?;?\x07', '^[]10;rgb:ffff/ffff/ffff^G^[]11;rgb:0000/0000/0000^G'],
  ['\x1b]11;#123456;?;?\x07', '^[]12;rgb:ffff/ffff/ffff^G'],
  ['\x1b]4;1;?\x07', '^[]4;1;rgb:cdcd/0000/0000^G'],
  [
    '\x1b]4;12;?;67;?;232;?\x1b\\',
    '^[]4;12;rgb:5c5c/5c5c/ffff^[\\^[]4;67;rgb:5f5f/8787/afaf^[\\^[]4;232;rgb:0808/0808/0808^[\\',
  ],
  ['\x1b]4;1;red;255;?\x07', '^[]4;255;rgb:eeee/eeee/eeee^G'],
  ['\x1b]4;256;?\x07\x1b]4;?\x07\x1b]4\x07\x1b]5;0;?\x07\x1b]13;?\x07\x1b]52;c;?\x07', ''],
  ['\x1bP+q544e\x1b\\', '^[P0+r^[\\'],
  ['\x1bP$qm\x1b\\', '^[P0$r^[\\'],
  ['\x1b[1;31mred\x1b[0m\x1b]0;title\x07\x1b(B\x1b[2J\x1b[?25l', ''],
  ['\x1b[?1;2c\x1b[1;1R\x1b[?0u\x1b[0n', ''],
  ['\x1b]11;#fff\x07\x1b]11;?\x18\x1b[6\x1a\x1b_Gi=1;AAAA\x1b\\', ''],
  [`\x1b[${'9'.repeat(100)}c\x1b]11;?${'x'.repeat(100)}\x07\x1b[99999999$p\x1b[$p`, ''],
]

eachVariant(t, [asan, release, xnu], terminal)

function terminal(t: Test, variant: Variant) {
  keeperTest(t, variant, 'answers terminal queries of a program', async (t, start) => {
    const one = start([testProgram, 'ask', ...queries.map(([asked]) => asked)], { args })
    t.match(await one.line.next('exit'), { code: 0 })
    const asked = (text: string) => `${text}\x1b[5n`
    // The output has the questions in front of the answers that were printed.
    const printed = one.entries.map(([, tag, text]) => text + (tag === 'F' ? '\n' : '')).join('')
    for (const [question, answer] of queries)
      t.match(printed, `${asked(question)}${answer}\n`, JSON.stringify(question))
  })

  keeperTest(t, variant, 'does not answer in line mode, where the answer would be echoed', async (t, start) => {
    const one = start(['sh', '-c', "printf '\\033[c\\n'; sleep 0.3; echo end"], { args })
    await one.line.next('exit')
    t.strictSame(
      one.entries.map(([, , text]) => text),
      ['\x1b[c', 'end'],
    )
  })

  keeperTest(t, variant, 'keeps all output written before a kill', async (t, start, dir) => {
    const script = `trap '' TERM; i=0; while :; do i=$((i+1)); echo "line $i."; echo $i >last; done`
    const one = start(['sh', '-c', script], { args })
    await until('under way', () => existsSync(join(dir, 'last')))
    one.line.send(`stop ${constants.signals.SIGTERM} 100`)
    t.match(await one.line.next('exit'), { signal: 'SIGKILL' })
    // The file may have been emptied for the next number.
    const last = Number(readFileSync(join(dir, 'last'), 'utf8')) || 1
    t.ok(one.log.includes(`line ${last}.`), `line ${last}`)
  })

  keeperTest(t, variant, 'a service that has opened /dev/tty exits as fast as others', async (t, start) => {
    const one = start(['sh', '-c', 'echo up >/dev/tty; read x'], { args, env: { XNU_DEV_TTY: '1' } })
    await one.logged('up')
    const before = performance.now()
    one.line.send(`stop ${constants.signals.SIGKILL} 0`)
    await one.line.next('exit')
    const took = performance.now() - before
    t.ok(took < 900, `it took ${took} ms`)
  })

  keeperTest(t, variant, 'frees the slots of clients that disconnect with pending input', async (t, start) => {
    const one = start(['sh', '-c', 'stty -icanon -echo; echo up; exec sleep 1000'], { args })
    await one.logged('up')
    for (let client = 0; client < 9; client++) {
      const keyboard = await one.connect()
      keyboard.socket.removeAllListeners('data')
      keyboard.send('attach 100 30')
      keyboard.socket.write('x'.repeat(65_536))
      await new Promise(wake => setTimeout(wake, 20))
      keyboard.socket.destroy()
    }
    t.match(await (await one.connect()).state(), { main: null })
  })

  keeperTest(t, variant, 'leaves queries to attached clients', async (t, start) => {
    const script = `stty -icanon -echo; echo up; read x; printf '\\033[6n\\033[5n'; read y; echo "<$y>"`
    const one = start(['bash', '-c', script], { args })
    await one.logged('up')
    const keyboard = await one.connect()
    keyboard.socket.setEncoding('latin1').removeAllListeners('data')
    keyboard.send('attach 100 30')
    const asked = new Promise<void>(resolve => keyboard.socket.on('data', text => /6n/.test(String(text)) && resolve()))
    keyboard.socket.write('go\n')
    await asked
    keyboard.socket.write('mine\n')
    await one.line.next('exit')
    t.match(one.log, '<mine>')
  })
}
