import type { ComponentChildren } from 'preact'
import type { ServiceView } from '../../../../../kernel/events.ts'
import type { ConfigValue, DetailsAnswer } from '../../../../../kernel/protocol.ts'
import { copy } from '../../actions/copy.ts'
import { holders } from '../../state/holders.ts'

/** What a service is: its command, folder, addresses, and how it is watched. */
export function Facts({ view, details }: { readonly view: ServiceView; readonly details: DetailsAnswer }) {
  const { url, port, pid, restarts, shared = [] } = view
  const { command, commandReason, dir, hosts, ports, config, problem, logFile } = details
  const further = Object.entries(ports)
  const holder = holders.value.get(view.path)
  return (
    <section class="card facts" aria-label="Facts">
      <h2>Facts</h2>
      {problem !== undefined && <p class="problem">The configuration cannot be read: {problem.message}</p>}
      <dl>
        {command !== null && (
          <Fact name="Command" where={whereOf(config, 'command')}>
            <Copied text={command} what="the command" />
            {commandReason !== null && <span class="dim"> {commandReason}</span>}
          </Fact>
        )}
        <Fact name="Folder">
          <Copied text={dir} what="the folder" />
        </Fact>
        {url !== null && (
          <Fact name="URL">
            {url.startsWith('http') ? (
              <a class="mono" href={url} target="_blank" rel="noopener noreferrer">
                {url}
              </a>
            ) : (
              <Copied text={url} what="the URL" />
            )}
          </Fact>
        )}
        {shared.length > 0 && (
          <Fact name="Shared">
            {shared.map(it => (
              <div key={it.url}>
                <a class="mono" href={it.url} target="_blank" rel="noopener noreferrer">
                  {it.url}
                </a>
              </div>
            ))}
          </Fact>
        )}
        {hosts.length > 1 && <Fact name="Host names">{hosts.join(', ')}</Fact>}
        {port !== null && (
          <Fact name="Port" where={whereOf(config, 'port')}>
            <Copied text={String(port)} what="the port" />
            {further.map(([inside, outside]) => ` · ${inside} on ${outside}`)}
          </Fact>
        )}
        <Fact name="Process">{pid === null ? <span class="dim">none</span> : `pid ${pid}`}</Fact>
        {holder !== undefined && <Fact name="Kept by">{holder}</Fact>}
        <Fact name="Restarts">{String(restarts)}</Fact>
        {watched(config).map(({ name, key, text }) => (
          <Fact key={name} name={name} where={whereOf(config, key)}>
            {text}
          </Fact>
        ))}
        <Fact name="Log file">
          <Copied text={logFile} what="the path of the log file" />
        </Fact>
      </dl>
    </section>
  )
}

interface FactProps {
  readonly name: string
  /** Where it was written: file and line. */
  readonly where?: string | undefined
  readonly children: ComponentChildren
}

function Fact({ name, where, children }: FactProps) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {children}
        {where !== undefined && <small class="dim">{where}</small>}
      </dd>
    </>
  )
}

function Copied({ text, what }: { readonly text: string; readonly what: string }) {
  return (
    <button type="button" class="value mono" title={`Copy ${what}`} onClick={() => copy(text, what)}>
      {text}
    </button>
  )
}

/** Returns the file and line of a value; undefined for a default. */
function whereOf(config: readonly ConfigValue[], key: string): string | undefined {
  const found = config.find(value => value.key === key || value.key.startsWith(`${key}.`))
  if (found === undefined || found.file === null) return undefined
  const name = found.file.slice(found.file.lastIndexOf('/') + 1)
  return found.line === null ? name : `${name}:${found.line}`
}

/** Returns how it is watched and restarted, as far as that is configured or a default. */
function watched(config: readonly ConfigValue[]): readonly { name: string; key: string; text: string }[] {
  const valueAt = (key: string) => config.find(value => value.key === key)?.value
  const check = valueAt('health_check') ?? valueAt('health_check.type')
  const checked = ['path', 'pattern', 'command'].flatMap(key => valueAt(`health_check.${key}`) ?? [])
  const facts = [
    { name: 'Health check', key: 'health_check', text: check === undefined ? '' : [check, ...checked].join(' ') },
    { name: 'Restart', key: 'restart', text: wordOf(valueAt('restart')) },
    { name: 'Watches', key: 'watch', text: wordOf(valueAt('watch')) },
    { name: 'Schedule', key: 'schedule', text: wordOf(valueAt('schedule')) },
    { name: 'Runs every', key: 'every', text: wordOf(valueAt('every')) },
    { name: 'Stops after idle', key: 'idle', text: wordOf(valueAt('idle')) },
  ]
  // A command that runs by a schedule is not restarted.
  const isScheduled = ['schedule', 'every'].some(key => valueAt(key) !== undefined)
  return facts.filter(({ text, key }) => text !== '' && !(isScheduled && key === 'restart'))
}

function wordOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ')
  if (typeof value === 'number') return `${value} s`
  return typeof value === 'string' ? value : ''
}
