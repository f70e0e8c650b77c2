import './style.css'

/** Shows the screen `service`. */
export default function Service() {
  return <section class="service" aria-label="Service" />
}
