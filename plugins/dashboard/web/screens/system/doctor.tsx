import { useSignal } from '@preact/signals'
import type { CheckView, DoctorAnswer, FixCommand } from '../../../../../kernel/protocol.ts'
import { Mark } from '../../parts/mark.tsx'
import { Prose } from '../../parts/prose.tsx'
import { doctor, runDoctor } from '../../state/doctor.ts'
import { notifyError } from '../../state/notices.ts'
import type { Shape } from '../../state/words.ts'
import { FixButton } from './fix.tsx'

const shapes: Readonly<Record<CheckView['status'], Shape>> = { pass: 'ok', warn: 'wait', fail: 'bad', skip: 'off' }
const words: Readonly<Record<CheckView['status'], string>> = {
  ...{ pass: 'passed', warn: 'warning', fail: 'failed', skip: 'skipped' },
}

/** The checks of this machine: what to fix first, then what passed. */
export function Doctor() {
  const isRunning = useSignal(false)
  const answer = doctor.value
  const run = async () => {
    isRunning.value = true
    await runDoctor()
      .catch(notifyError)
      .finally(() => {
        isRunning.value = false
      })
  }
  return (
    <section class="card" aria-label="Checks">
      <h2>
        Checks <code class="dim">locald doctor</code>
        <button type="button" disabled={isRunning.value} onClick={() => void run()}>
          {isRunning.value ? 'Checking…' : 'Check again'}
        </button>
      </h2>
      {answer === undefined ? <p class="dim">Checking…</p> : <Results answer={answer} />}
    </section>
  )
}

function Results({ answer }: { readonly answer: DoctorAnswer }) {
  const found = answer.checks
    .filter(({ status }) => status === 'warn' || status === 'fail')
    .toSorted((a, b) => weightOf(a) - weightOf(b))
  const others = answer.checks.filter(check => !found.includes(check))
  const passed = others.filter(({ status }) => status === 'pass').length
  return (
    <>
      {found.length === 0 && <p>All is as it should be.</p>}
      <ul class="fixes">
        {answer.commands.map(fix => (
          <li key={fix.command}>
            <FixButton command={fix} />
            <small class="dim">
              for{' '}
              {found
                .filter(check => isFixedBy(check, fix))
                .map(({ id }) => id)
                .join(', ')}
            </small>
          </li>
        ))}
      </ul>
      <ul class="checks">
        {found.map(check => (
          <Check key={`${check.plugin} ${check.id}`} check={check} />
        ))}
      </ul>
      <details>
        <summary>
          {passed} passed, {others.length - passed} skipped
        </summary>
        <ul class="checks">
          {others.map(check => (
            <Check key={`${check.plugin} ${check.id}`} check={check} />
          ))}
        </ul>
      </details>
    </>
  )
}

function Check({ check }: { readonly check: CheckView }) {
  const { plugin, id, status, severity, summary, fix } = check
  const isFound = status === 'warn' || status === 'fail'
  return (
    <li>
      <Mark shape={shapes[status]} />
      <div>
        <p>
          <b>{id}</b> <span class={status === 'fail' ? 'bad-text' : 'dim'}>{words[status]}</span>
          <small class="dim">
            {plugin}
            {isFound && `, ${severity}`}
          </small>
        </p>
        <p class="summary">{summary}</p>
        {isFound && fix !== null && (
          <p>
            <Prose text={fix} />
          </p>
        )}
      </div>
    </li>
  )
}

/** Sorts what is critical, or failed, first. */
function weightOf({ severity, status }: CheckView): number {
  return ['critical', 'important', 'optional'].indexOf(severity) * 2 + (status === 'fail' ? 0 : 1)
}

function isFixedBy({ fix }: CheckView, { command }: FixCommand): boolean {
  return fix?.startsWith(`Run \`${command}\``) === true
}
