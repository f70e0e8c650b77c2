import type { PluginsAnswer, PluginView } from '../../../../../kernel/protocol.ts'
import { Mark } from '../../parts/mark.tsx'
import { useAnswer } from '../../state/answer.ts'
import type { Shape } from '../../state/words.ts'

const shapes: Readonly<Record<PluginView['state'], Shape>> = { active: 'ok', off: 'off', broken: 'bad' }

/** The plugins: their state, and what each provides. */
export function Plugins() {
  const { answer } = useAnswer<PluginsAnswer>('/plugins', {})
  const plugins = answer.value.value?.plugins ?? []
  return (
    <section class="card" aria-label="Plugins">
      <h2>
        Plugins <code class="dim">locald plugins list</code>
      </h2>
      <table class="plugins">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col" class="hide-s">
              Version
            </th>
            <th scope="col">Provides</th>
          </tr>
        </thead>
        <tbody>
          {plugins.map(plugin => (
            <Row key={plugin.name} plugin={plugin} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Row({ plugin }: { readonly plugin: PluginView }) {
  const { name, version, from, state, reason, types, features, commands, details = {} } = plugin
  const provided = [
    ...types.map(type => `type ${type}`),
    ...features.map(feature => (details[feature] === undefined ? feature : `${feature} (${details[feature]})`)),
    ...commands.map(command => `locald ${command}`),
  ]
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <span class="state">
          <Mark shape={shapes[state]} />
          <span class={state === 'broken' ? 'bad-text' : 'dim'}>{state}</span>
        </span>
      </td>
      <td class="hide-s dim">{from === 'built-in' ? from : `${version}, ${from}`}</td>
      <td class="wrap">{reason ?? provided.join(', ')}</td>
    </tr>
  )
}
