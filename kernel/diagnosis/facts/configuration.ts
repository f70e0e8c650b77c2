import { shortName } from '../../config/document/document.ts'
import { changedKeys, configValues } from '../config-values.ts'
import { type Case, type Fact, likely, shellWord } from '../fact.ts'

/** Keys that decide only when a service counts as ready, or what happens after its exit. */
const ofReadiness = new Set(['health_check', 'ready_timeout', 'restart', 'stop_signal'])

/** Finds the keys of the service that have changed in the configuration. */
export async function configurationFacts(it: Case): Promise<readonly Fact[]> {
  const { before, plan, project, root, evidence } = it
  if (before === undefined) return []
  const changed = changedKeys(before.config, configValues(plan, it.hash))
  return await Promise.all(
    changed.map(async ({ key, before: old, now }): Promise<Fact> => {
      const place = await project.environmentFiles.locate?.(['services', plan.name, key]).catch(() => undefined)
      const file = place?.file == null ? 'locald.toml' : shortName(place.file, root)
      const line = place?.line == null ? '' : `:${place.line}`
      const isNamed = newWords(old, now).some(word => word.length > 3 && evidence.text.includes(word))
      const isUnready = it.service.state.now.launched && it.service.state.now.status === 'running'
      const base = ofReadiness.has(key) && !isUnready ? likely.nearby : likely.changed + 6
      return {
        score: isNamed ? likely.proven : base,
        kind: 'configuration',
        text: `\`${key}\` was changed in ${file}${line}${values(old, now)}`,
        command: showing(it, file),
        atMs: null,
      }
    }),
  )
}

function values(before: string | null, now: string | null): string {
  if (before === null || now === null) return ''
  return ` from \`${before}\` to \`${now}\``
}

function newWords(before: string | null, now: string | null): readonly string[] {
  const known = new Set((before ?? '').split(/\s+/))
  return (now ?? '').split(/\s+/).filter(word => !known.has(word))
}

/** Returns the command that shows what has changed in a file. */
function showing({ git, before }: Case, file: string): string | null {
  if (git?.isTracked(file) !== true) return null
  return git.committed.has(file) && before !== undefined
    ? `git diff ${before.head.slice(0, 12)} -- ${shellWord(file)}`
    : `git diff -- ${shellWord(file)}`
}
