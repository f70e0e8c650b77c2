import './style.css'

/** Shows the screen `requests`. */
export default function Requests() {
  return <section class="requests" aria-label="Requests" />
}
