import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { program } from '../folders.ts'
import { Locald } from '../locald.ts'
import { interleave, median, until } from '../measure.ts'
import type { Found, Row } from '../report.ts'

/** Measures a printer's wall time: into a file, through script(1) on a terminal, and as a service. */
export async function output({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const count = smoke ? 1000 : 2_000_000
  const rows: Row[] = []
  for (const tty of [false, true]) {
    for (const how of ['', ' each'] as const) rows.push(...(await measured(count, tty, how, smoke ? 1 : 5)))
  }
  return { bench: 'output', about: `a service that prints ${count} lines, its own time`, rows, skipped: [] }
}

async function measured(count: number, tty: boolean, how: '' | ' each', rounds: number): Promise<Row[]> {
  const printer = program('printer')
  const locald = new Locald(
    `[project]\nname = "bench"\n[services.one]\ntype = "worker"\ntty = ${tty}\nrestart = "no"\ncommand = "sleep 0.5; exec ${printer} ${count} $TIMES${how}"\n`,
  )
  const times = join(locald.home, 'times')
  const file = join(locald.home, 'out')
  const here = { env: { ...locald.env, TIMES: times }, cwd: locald.home }
  let lost = 0
  try {
    locald.run('server', 'start')
    const results = await interleave(rounds, {
      peer: () => {
        const out = tty ? 'ignore' : openSync(file, 'w')
        const command = `sleep 0.5; exec ${printer} ${count} ${times}${how}`
        const words = tty ? ['script', '-qec', command, file] : ['/bin/sh', '-c', command]
        spawnSync(words[0] ?? '', words.slice(1), { ...here, stdio: ['ignore', out, 'ignore'] })
        if (typeof out === 'number') closeSync(out)
        rmSync(file)
        return taken(times)
      },
      locald: async () => {
        for (const name of existsSync(locald.logs('one')) ? readdirSync(locald.logs('one')) : [])
          rmSync(join(locald.logs('one'), name))
        locald.env['TIMES'] = times
        locald.run('up', 'one')
        // Starts after `up` has exited, so that nothing else runs; the peer's run starts as cold.
        await until('its end', () => existsSync(times), { stepMs: 50, limitMs: 120_000 })
        await until('the exit of the printer', () => locald.services()[0]?.status === 'exited', { stepMs: 200 })
        lost = Math.max(lost, count - numbered(locald.logs('one')))
        return taken(times)
      },
    })
    const [peer = Number.NaN, own = Number.NaN] = ['peer', 'locald'].map(key => median(results.get(key) ?? []))
    const ratio = own / peer
    const name = `${tty ? 'terminal' : 'pipes'}, ${how === '' ? 'stdio' : 'a write a line'}`
    return [
      { what: `${name}: ${tty ? 'script' : 'a file'}`, value: peer, unit: 'ms' },
      {
        what: `${name}: locald`,
        value: own,
        unit: 'ms',
        ratio,
        of: `of ${tty ? 'script' : 'a file'}`,
        target: '<= 1.2x',
        met: ratio <= 1.2,
      },
      { what: '  … lines lost', value: lost, unit: 'lines', target: '0', met: lost === 0 },
    ]
  } finally {
    await locald.close()
  }
}

function taken(file: string): number {
  const ms = Number(readFileSync(file, 'utf8')) / 1000
  rmSync(file)
  return ms
}

/**
 * Counts the printer's lines in a log, each once and in order. A line that was logged before its newline is in parts
 * (`P`).
 */
function numbered(folder: string): number {
  const index = (name: string) => Number(name.split('.')[1] ?? 0)
  const files = readdirSync(folder).sort((a, b) => index(b) - index(a))
  let next = 0
  let begun = ''
  for (const name of files) {
    for (const [, tag, text = ''] of readFileSync(join(folder, name), 'latin1').matchAll(/ stdout ([FP]) (.*)$/gm)) {
      if (tag === 'P') begun += text
      else if (Number(begun + text) === next) next++
      if (tag === 'F') begun = ''
    }
  }
  return next
}
