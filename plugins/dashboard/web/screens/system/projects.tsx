import { useSignal } from '@preact/signals'
import type { CleanAnswer, KnownProjectView, RegistryAnswer } from '../../../../../kernel/protocol.ts'
import { startProject } from '../../actions/project.ts'
import { post } from '../../api.ts'
import { useAnswer } from '../../state/answer.ts'
import { notify, notifyError } from '../../state/notices.ts'
import { projects, services } from '../../state/services.ts'
import { momentOf } from '../../state/words.ts'

/** The known projects: which run, which start with the daemon, which are missing. */
export function Projects() {
  const { answer, reload } = useAnswer<RegistryAnswer>('/registry', {}, [projects.value])
  const known = answer.value.value?.projects ?? []
  const missing = known.filter(({ exists }) => !exists).length
  const clean = async () => {
    const { forgotten, kept, data } = await post<CleanAnswer>('/registry/clean')
    const reasonOf = (name: string) => (data.some(({ project }) => project === name) ? 'has data' : 'still runs')
    const rest = kept.map(({ name }) => `; ${name} ${reasonOf(name)}`).join('')
    notify({ kind: 'done', text: `${forgotten.length} forgotten${rest}` })
    reload()
  }
  return (
    <section class="card" aria-label="Known projects">
      <h2>
        Projects <code class="dim">locald registry list</code>
        {missing > 0 && (
          <button type="button" title="locald registry clean" onClick={() => void clean().catch(notifyError)}>
            Forget {missing} with a missing folder
          </button>
        )}
      </h2>
      {known.length === 0 ? (
        <p class="dim">
          <code>locald up</code> in a folder makes its project known.
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="hide-s">
                Folder
              </th>
              <th scope="col" class="hide-s">
                Last start
              </th>
              <th scope="col">With the daemon</th>
              <th scope="col">
                <span class="only-read">Start</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {known.map(project => (
              <Row key={project.path} project={project} reload={reload} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function Row({ project, reload }: { readonly project: KnownProjectView; reload(): void }) {
  const { name, path, pinned, exists, usedAt, problem } = project
  const asked = useSignal<boolean | undefined>(undefined)
  const isRunning = services.value.some(view => view.path === path && view.pid !== null)
  const pin = async () => {
    asked.value = !pinned
    try {
      await post('/registry/pin', { path, projects: [name], pinned: !pinned })
      reload()
    } catch (error) {
      notifyError(error)
    } finally {
      asked.value = undefined
    }
  }
  return (
    <tr>
      <th scope="row">
        {name}
        {!exists && <small class="bad-text"> folder missing</small>}
        {problem !== null && <small class="bad-text"> {problem}</small>}
      </th>
      <td class="mono wrap hide-s">{path}</td>
      <td class="dim hide-s">{momentOf(usedAt)}</td>
      <td>
        <label class="pin" title={`locald registry ${pinned ? 'unpin' : 'pin'} ${name}`}>
          <input
            type="checkbox"
            checked={asked.value ?? pinned}
            disabled={asked.value !== undefined}
            onChange={() => void pin()}
            aria-label={`Start ${name} with the daemon`}
          />
          {pinned ? 'pinned' : 'no'}
        </label>
      </td>
      <td class="r">
        {exists && !isRunning && (
          <button type="button" title={`locald up ${name}`} onClick={() => void startProject(project)}>
            Start
          </button>
        )}
        {isRunning && <span class="dim">runs</span>}
      </td>
    </tr>
  )
}
