import { useSignal } from '@preact/signals'
import { presentContext } from '../actions/context.ts'
import { type Action, actions, isShown } from '../actions/registry.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Prose } from '../parts/prose.tsx'
import { question } from '../state/dialog.ts'
import { ArgumentFields, isComplete } from './argument-fields.tsx'
import { keyText } from './keys.ts'
import { isKeysOpen } from './open.ts'

/** The question before what cannot be undone. */
export function QuestionDialog() {
  const chosen = useSignal<string | undefined>(undefined)
  const typed = useSignal('')
  const asked = question.value
  if (asked === undefined) return null
  const { title, text, cli, yes, isDangerous, choices, field, form, answer } = asked
  const first = choices?.[0]?.value
  const isIncomplete = (field !== undefined && typed.value.trim() === '') || (form !== undefined && !isComplete(form))
  const close = (value: string | undefined) => {
    chosen.value = undefined
    typed.value = ''
    answer(value)
  }
  const accept = () => {
    if (isIncomplete) return
    close(field !== undefined ? typed.value : choices === undefined ? 'yes' : (chosen.value ?? first))
  }
  return (
    <Dialog label={title} close={() => close(undefined)}>
      <h2>{title}</h2>
      <p>
        <Prose text={text} />
      </p>
      {field !== undefined && (
        <label class="typed">
          {field.label}
          <input
            type="text"
            class="mono"
            placeholder={field.placeholder}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            onInput={event => (typed.value = event.currentTarget.value)}
            onKeyDown={event => {
              if (event.key === 'Enter' && !event.isComposing) accept()
            }}
          />
        </label>
      )}
      {form !== undefined && <ArgumentFields form={form} accept={accept} />}
      {choices !== undefined && (
        <ul class="choices">
          {choices.map(({ value, text }) => (
            <li key={value}>
              <label>
                <input
                  type="radio"
                  name="choice"
                  checked={(chosen.value ?? first) === value}
                  onChange={() => (chosen.value = value)}
                />{' '}
                {text}
              </label>
            </li>
          ))}
        </ul>
      )}
      {cli !== undefined && (
        <p>
          <code class="dim">{typeof cli === 'string' ? cli : cli(typed.value)}</code>
        </p>
      )}
      <div class="answers">
        <button type="button" onClick={() => close(undefined)}>
          Cancel
        </button>
        <button
          type="button"
          class={isDangerous === true ? 'danger' : 'primary'}
          disabled={isIncomplete}
          onClick={accept}
        >
          {yes}
        </button>
      </div>
    </Dialog>
  )
}

/** The list of keys, from the registry. */
export function KeysDialog() {
  if (!isKeysOpen.value) return null
  const context = presentContext()
  // An action of the screen replaces the common one with its key.
  const withKeys = [...new Map(actions.value.map(action => [action.key, action])).values()].filter(
    ({ key }) => key !== undefined,
  )
  const fixed: readonly (readonly [string, string])[] = [
    ['$mod+k', 'Search services and commands'],
    ['/', 'Search on this screen'],
    ['j', 'Next row'],
    ['k', 'Previous row'],
    ['Enter', 'Open the row'],
    ['Escape', 'Close, or go back'],
    ['?', 'Show the keys'],
  ]
  return (
    <Dialog label="Keys" close={() => (isKeysOpen.value = false)} class="keys">
      <h2>Keys</h2>
      <dl>
        {fixed.map(([key, text]) => (
          <Row key={key} keys={key} text={text} />
        ))}
        {withKeys.map(action => (
          <Row key={action.id} keys={action.key ?? ''} text={textOf(action, context)} />
        ))}
      </dl>
    </Dialog>
  )
}

function textOf(action: Action, context: ReturnType<typeof presentContext>): string {
  if (isShown(action, context)) return action.title(context)
  return plain[action.id] ?? action.title(context)
}

/** What the keys of a service do, where no service is chosen. */
const plain: Readonly<Record<string, string>> = {
  'service.restart': 'Restart the service',
  'service.restart-dependents': 'Restart the service with dependents',
  'service.stop': 'Stop the service',
  'service.open': 'Open the service in the browser',
  'service.copy-url': 'Copy the URL of the service',
  'service.logs': 'Show the logs of the service',
  'service.terminal': 'Open the terminal of the service',
  'service.report': 'Copy a report of the service',
}

function Row({ keys, text }: { readonly keys: string; readonly text: string }) {
  return (
    <div>
      <dt>
        {keyText(keys).map(key => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{text}</dd>
    </div>
  )
}
