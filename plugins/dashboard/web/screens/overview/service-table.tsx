import { contextOf } from '../../actions/context.ts'
import { startProject } from '../../actions/project.ts'
import { Mark, MarkHeading } from '../../parts/mark.tsx'
import { ActionMenu } from '../../parts/menu.tsx'
import { type Group, groups, isActive } from '../../state/groups.ts'
import { holders } from '../../state/holders.ts'
import { isAllShown, isLoaded } from '../../state/services.ts'
import { LazyRows } from './lazy-rows.tsx'

/** Services in one piece of the table. */
const pieceSize = 15

/** All services, by project where there are several. */
export function ServiceTable() {
  const all = groups.value
  const running = all.filter(isActive)
  const stopped = all.filter(group => !isActive(group))
  return (
    <div class="services">
      <table>
        <thead>
          <tr>
            <MarkHeading />
            <th>Service</th>
            <th>State</th>
            <th class="hide-s">URL</th>
            <th class="r hide-s">CPU</th>
            <th class="r hide-s">Memory</th>
            <th class="r hide-s">Uptime</th>
            <th class="r hide-s">Restarts</th>
            <th>
              <span class="only-read">Actions</span>
            </th>
          </tr>
        </thead>
        {running.flatMap(group => [
          (running.length > 1 || stopped.length > 0 || holders.value.has(group.path)) && (
            <tbody key={group.path}>
              <GroupRow group={group} />
            </tbody>
          ),
          ...piecesOf(group.services).map(([first = '', ...rest]) => (
            <LazyRows key={`${group.path} ${first}`} ids={[first, ...rest]} />
          )),
        ])}
        {stopped.length > 0 && isLoaded.value && (
          <tbody class="stopped">
            {stopped.map(group => (
              <StoppedRow key={group.path} group={group} />
            ))}
          </tbody>
        )}
      </table>
      <HiddenServices />
    </div>
  )
}

/** How many services lists leave out, and a button that shows them. */
function HiddenServices() {
  const count = groups.value.reduce((sum, { hidden }) => sum + hidden, 0)
  if (count === 0 && !isAllShown.value) return null
  return (
    <button type="button" class="rest" onClick={() => (isAllShown.value = !isAllShown.value)}>
      {isAllShown.value ? 'Leave out hidden services' : `${count} hidden, show`}
    </button>
  )
}

function piecesOf(keys: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(keys.length / pieceSize)
  return Array.from({ length: count }, (_, at) => keys.slice(at * pieceSize, (at + 1) * pieceSize))
}

function GroupRow({ group: { name, branch, path, services } }: { readonly group: Group }) {
  const context = contextOf(services[0])
  const holder = holders.value.get(path)
  return (
    <tr class="group">
      <th colSpan={3} scope="rowgroup">
        {name} {branch !== undefined && <span class="branch mono">{branch}</span>}
      </th>
      <td class="dim path hide-s" colSpan={5}>
        {path}
        {holder !== undefined && <span class="holder"> · {holder}</span>}
      </td>
      <td class="r">
        <span class="acts">
          <ActionMenu
            context={{ ...context, service: undefined }}
            label={`Actions of ${name}${branch === undefined ? '' : `, ${branch}`}`}
          />
        </span>
      </td>
    </tr>
  )
}

function StoppedRow({ group: { name, branch, path, project } }: { readonly group: Group }) {
  return (
    <tr>
      <td class="mark">
        <Mark shape="off" />
      </td>
      <td>
        <b>{name}</b> {branch !== undefined && <span class="branch mono dim">{branch}</span>}
      </td>
      <td class="dim">{project?.exists === false ? 'Folder not found' : 'Stopped'}</td>
      <td class="dim hide-s" colSpan={5}>
        {path}
      </td>
      <td class="r">
        {project?.exists === true && (
          <button type="button" title={`locald up ${project.name}`} onClick={() => startProject(project)}>
            Start
          </button>
        )}
      </td>
    </tr>
  )
}
