import './style.css'

/** Shows the screen `overview`. */
export default function Overview() {
  return <section class="overview" aria-label="Overview" />
}
