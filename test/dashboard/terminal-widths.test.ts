/** A terminal in the browser gives characters the columns that the daemon's, and so `locald attach`, gives them. */
import stringWidth from 'string-width'
import { Emulator } from '../../kernel/terminals/emulator.ts'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

/** Emoji of old and new Unicode, ideographs, syllables, symbols of one column, and a letter with marks. */
const samples = [
  '😀',
  '🫠',
  '👍',
  '🚀',
  '☕',
  '⚡',
  '✅',
  '漢',
  '가',
  'ｱ',
  'Ａ',
  '❤',
  '→',
  '─',
  'é',
  'x\u0301\u0302',
  'ß',
]

/** Each sample with a letter in the column that follows it: one that is thought wider or narrower breaks the line. */
const lines = samples.map(sample => `${sample}\x1b[${stringWidth(sample) + 1}GB${sample}.`)
const expected = samples.map(sample => `${sample}B${sample}.`)

onHost(
  'widths of characters in the browser',
  async (t, machine) => {
    const emulator = await Emulator.create({ cols: 80, rows: 40, scrollback: 0 })
    await new Promise<void>(resolve => emulator.terminal.write(lines.join('\r\n'), resolve))
    const ofDaemon = samples.map((_, row) => emulator.terminal.buffer.active.getLine(row)?.translateToString(true))
    t.strictSame(ofDaemon, expected)

    const sandbox = machine.sandbox()
    const text = JSON.stringify(`${lines.join('\n')}\nend\n`)
    const path = sandbox.project('desk', {
      'locald.toml': `[project]\nname = "desk"\n[services.show]\ntype = "worker"\ncommand = "exec '${process.execPath}' show.cjs"\n`,
      'show.cjs': `process.stdin.once('data', () => process.stdout.write(${text}))\nconsole.log('waits')\n`,
    })
    await sandbox.up(path)
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/terminals?service=desk:show')
    const rows = page.locator('section[aria-label="Terminal of desk:show"] .xterm-rows')
    await rows.filter({ hasText: 'waits' }).waitFor({ timeout: 20_000 })
    // Not before: a screen that comes from the daemon as a whole has no positions in it.
    await page.locator('section[aria-label="Terminal of desk:show"] .host').click()
    await page.keyboard.press('Enter')
    await rows.filter({ hasText: 'end' }).waitFor({ timeout: 20_000 })
    const shown = await rows.locator('> div').allTextContents()
    const texts = shown.map(row => row.replaceAll('\u00a0', ' ').trimEnd())
    const end = texts.indexOf('end')
    t.strictSame(texts.slice(end - samples.length, end), expected)
  },
  { skip: noBrowser },
)
