import type { LogLine, ServiceView } from '../../../../kernel/events.ts'
import type { WhyAnswer } from '../../../../kernel/protocol.ts'
import { get, lines } from '../api.ts'
import { stateOf } from '../state/words.ts'

/** How many of the last lines a report has. */
const count = 50

/** Returns what is known of a service as Markdown, for a chat or an agent. */
export async function reportOf(view: ServiceView): Promise<string> {
  const target = { path: view.path, service: view.name }
  const [why, log] = await Promise.all([get<WhyAnswer>('/services/why', target), lastLines(view)])
  const changes = why.changes ?? []
  return [
    `## ${view.key}: ${stateOf(view).word}`,
    '',
    ...why.because.map(text => `- ${text}`),
    ...(changes.length === 0 ? [] : ['', 'Likely causes:', '']),
    ...changes.map(({ text, command }) => (command === null ? `- ${text}` : `- ${text} (\`${command}\`)`)),
    ...['', `Last ${log.length} lines of \`locald logs ${view.key}\`:`, '', '```'],
    ...log.map(({ time, text }) => `${time.slice(11, 23)} ${text}`),
    '```',
    '',
  ].join('\n')
}

async function lastLines({ path, name }: ServiceView): Promise<readonly LogLine[]> {
  const query = new URLSearchParams({ path, service: name, tail: String(count) })
  const found: LogLine[] = []
  for await (const line of lines<LogLine>(`/logs?${query}`)) found.push(line)
  return found
}
