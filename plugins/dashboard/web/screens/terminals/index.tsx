import './style.css'

/** Shows the screen `terminals`. */
export default function Terminals() {
  return <section class="terminals" aria-label="Terminals" />
}
