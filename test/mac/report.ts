import { hostname, userInfo } from 'node:os'
import type { Outcome } from './bench.ts'

/** One step's part of the report. */
export interface Result {
  readonly id: string
  readonly title: string
  readonly outcome: Outcome
  readonly ms: number
  /** Why it failed or was not tried; what could not be undone. */
  readonly reasons: readonly string[]
  readonly notes: readonly (readonly [name: string, text: string])[]
}

const longest = 20_000

/** The report as Markdown: a table of all, then each with what was seen. It contains no name and no secret. */
export function reportOf(results: readonly Result[], about: string): string {
  const rows = results.map(
    ({ id, title, outcome, ms }) => `| ${id} | ${title} | ${outcome} | ${(ms / 1000).toFixed(1)} s |`,
  )
  const parts = results.map(({ id, outcome, reasons, notes }) =>
    [
      `## ${id}: ${outcome}`,
      ...reasons.map(reason => `* ${reason.replaceAll('\n', '\n  ')}`),
      ...notes.map(([name, text]) => `### ${name}\n\n${fenced(text)}`),
    ].join('\n\n'),
  )
  const table = ['| step | what | result | time |', '| --- | --- | --- | --- |', ...rows].join('\n')
  return redacted(`# locald on a Mac\n\n${about}\n\n${countOf(results)}\n\n${table}\n\n${parts.join('\n\n')}\n`)
}

/** `3 passed, 1 failed, 2 need a person, 4 not here`. */
export function countOf(results: readonly Result[]): string {
  const count = (outcome: Outcome) => results.filter(result => result.outcome === outcome).length
  return `${count('pass')} passed, ${count('fail')} failed, ${count('needs a person')} need a person, ${count('not here')} not here`
}

function fenced(text: string): string {
  const shown = text.length <= longest ? text : `${text.slice(0, longest)}\n… ${text.length - longest} more characters`
  return `\`\`\`\`text\n${shown}\n\`\`\`\``
}

/**
 * Without the user's name and home, the machine's name, and what looks like a key, a password or an address of a
 * network card.
 */
export function redacted(text: string, user = userInfo(), host = hostname()): string {
  const names: readonly (readonly [string, string])[] = [
    [user.homedir, '~'],
    [host, 'HOST'],
    [host.replace(/\..*/, ''), 'HOST'],
    [user.username, 'USER'],
  ]
  // A name such as `root` or `dev` is no secret, but a word of every list.
  const secret = names.filter(([name]) => name.length > 1 && !/^(root|dev|runner|\/root|localhost)$/.test(name))
  return secret
    .reduce((shown, [name, instead]) => shown.replaceAll(name, instead), text)
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, 'PRIVATE KEY')
    .replaceAll(/\b(\w*(?:PASSWORD|SECRET|TOKEN|API_?KEY)\w*)=\S+/gi, '$1=…')
    .replaceAll(/(:\/\/[^\s:/@]+):[^\s@/]+@/g, '$1:…@')
    .replaceAll(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi, '…')
}
