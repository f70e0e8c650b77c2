import type { CommandArgumentView } from '../../../../kernel/protocol.ts'
import type { Form } from '../state/dialog.ts'

interface Props {
  readonly form: Form
  accept(): void
}

/** Whether each argument without a default has a value. */
export function isComplete({ args, values }: Form): boolean {
  return args.every(({ name, type, default: preset }) => {
    const value = values.value[name]
    return type === 'string' || preset !== undefined || (value !== undefined && value !== '')
  })
}

/** The arguments of a command, a field each. */
export function ArgumentFields({ form, accept }: Props) {
  return (
    <div class="arguments">
      {form.args.map(argument => (
        <div class="typed" key={argument.name}>
          <label for={idOf(argument)}>
            {argument.description === undefined ? argument.name : `${argument.name}: ${argument.description}`}
          </label>
          <Field argument={argument} form={form} accept={accept} />
        </div>
      ))}
    </div>
  )
}

function idOf({ name }: CommandArgumentView): string {
  return `argument-${name}`
}

function Field({ argument, form, accept }: Props & { readonly argument: CommandArgumentView }) {
  const { name, type, values: words } = argument
  const value = form.values.value[name] ?? ''
  const set = (text: string) => {
    form.values.value = { ...form.values.peek(), [name]: text }
  }
  const choices = type === 'boolean' ? ['true', 'false'] : words
  if (choices !== undefined)
    return (
      <select id={idOf(argument)} value={value} onChange={event => set(event.currentTarget.value)}>
        {value === '' && <option value="">Choose</option>}
        {choices.map(choice => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    )
  return (
    <input
      id={idOf(argument)}
      type="text"
      class="mono"
      inputMode={type === 'string' ? 'text' : 'decimal'}
      value={value}
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      onInput={event => set(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key !== 'Enter' || event.isComposing) return
        // The focus goes back to the button of the command, which the key would press.
        event.preventDefault()
        accept()
      }}
    />
  )
}
