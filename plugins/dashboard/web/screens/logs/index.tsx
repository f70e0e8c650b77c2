import './style.css'

/** Shows the screen `logs`. */
export default function Logs() {
  return <section class="logs" aria-label="Logs" />
}
