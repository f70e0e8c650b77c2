import { Icon } from '../parts/icon.tsx'
import { doctor, doctorCount } from '../state/doctor.ts'
import { notices, unseen } from '../state/notices.ts'
import { hrefOf } from '../state/place.ts'
import { nextTheme, theme } from '../state/theme.ts'
import { isListOpen, isPaletteOpen } from './open.ts'

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)
/** The modifier key of shortcuts, as this system writes it. */
export const modifier = isMac ? '⌘' : 'Ctrl '

/** The top bar: where to search, what this machine needs, how the page looks. */
export function Header() {
  return (
    <header>
      <a class="logo" href={hrefOf('overview')}>
        <Icon name="logo" />
        locald
      </a>
      <button
        type="button"
        class="find"
        onClick={() => (isPaletteOpen.value = true)}
        aria-keyshortcuts="Control+K Meta+K"
      >
        <span>
          Search<span class="hide-s"> services and commands</span>
        </span>{' '}
        <kbd>{modifier}K</kbd>
      </button>
      <div class="right">
        <DoctorLink />
        <button
          type="button"
          class={unseen.value > 0 ? 'bell has-new' : 'bell'}
          aria-label={unseen.value > 0 ? `Notifications, ${unseen.value} new` : 'Notifications'}
          title="Notifications"
          aria-expanded={isListOpen.value}
          onClick={() => (isListOpen.value = !isListOpen.value)}
          disabled={notices.value.length === 0}
        >
          <Icon name="bell" />
        </button>
        <button
          type="button"
          aria-label={`Colours: ${theme.value}`}
          title={`Colours: ${theme.value === 'auto' ? 'as the system' : theme.value}`}
          onClick={nextTheme}
        >
          <Icon name={theme.value} />
        </button>
      </div>
    </header>
  )
}

/** How many checks of this machine found something; no number before they have run. */
function DoctorLink() {
  const count = doctor.value === undefined ? undefined : doctorCount.value
  const found = `${count === 1 ? '1 check of this machine warns or fails' : `${count} checks of this machine warn or fail`}`
  const title = `${count === undefined ? 'Checks of this machine' : found}: locald doctor`
  return (
    <a class="button" href={hrefOf('system')} title={title} aria-label={`Doctor: ${title}`}>
      Doctor {count !== undefined && <span class="dim num">{count}</span>}
    </a>
  )
}
