/**
 * The script of pages that reload themselves. It polls before it reloads, so that the page stays still, and inserts
 * text only, never markup. It reloads ten times a minute at most: after that a service that crashes and restarts has to
 * be reloaded manually. In a hidden tab it polls only for the progress of a start, since a browser opens six HTTP/1.1
 * connections to a host.
 */
export const script = `
const awaits = document.body.dataset.awaits
const wait = ms => new Promise(done => setTimeout(done, ms))
const visible = () => new Promise(done => {
  if (!document.hidden || awaits === 'ready') done()
  else document.addEventListener('visibilitychange', done, { once: true })
})
const prose = text => text.split('\`').map((part, i) => {
  if (i % 2 === 0) return part
  const code = document.createElement('code')
  code.textContent = part
  return code
})
function mayReload() {
  try {
    const now = Date.now()
    const recent = JSON.parse(sessionStorage.getItem('locald-reloads') ?? '[]').filter(time => now - time < 60_000)
    sessionStorage.setItem('locald-reloads', JSON.stringify([...recent, now]))
    return recent.length < 10
  } catch {
    return true
  }
}
async function follow() {
  for (;;) {
    let pause = 250
    try {
      await visible()
      const response = await fetch(location.href, { headers: { 'X-Locald-Progress': awaits }, cache: 'no-store' })
      if (response.status !== 202) break
      const details = await response.json()
      if (details.lines !== undefined) {
        document.getElementById('reason').replaceChildren(...prose(details.reason))
        document.getElementById('lines').textContent = details.lines.join('\\n')
        document.getElementById('lines').hidden = details.lines.length === 0
      }
    } catch {
      pause = 1000
    }
    await wait(pause)
  }
  if (mayReload()) location.reload()
  else document.getElementById('note').textContent = 'This page has reloaded ten times within a minute. Reload it manually.'
}
follow()
`
