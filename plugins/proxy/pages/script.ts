/**
 * The script of pages that reload themselves: it asks for news instead of reloading, so that the page stays calm; text only, never
 * markup. Ten reloads a minute are enough: a service that comes and goes has its page reloaded by hand. In a hidden tab it asks
 * only for the progress of a start, for a browser has six HTTP/1.1 connections to a host.
 */
export const script = `
const awaits = document.body.dataset.awaits
const wait = ms => new Promise(done => setTimeout(done, ms))
const shown = () => new Promise(done => {
  if (!document.hidden || awaits === 'ready') done()
  else document.addEventListener('visibilitychange', done, { once: true })
})
function mayReload() {
  try {
    const now = Date.now()
    const lately = JSON.parse(sessionStorage.getItem('locald-reloads') ?? '[]').filter(time => now - time < 60_000)
    sessionStorage.setItem('locald-reloads', JSON.stringify([...lately, now]))
    return lately.length < 10
  } catch {
    return true
  }
}
async function follow() {
  for (;;) {
    let pause = 250
    try {
      await shown()
      const answer = await fetch(location.href, { headers: { 'X-Locald-Progress': awaits }, cache: 'no-store' })
      if (answer.status !== 202) break
      const news = await answer.json()
      if (news.lines !== undefined) {
        document.getElementById('reason').textContent = news.reason
        document.getElementById('lines').textContent = news.lines.join('\\n')
        document.getElementById('lines').hidden = news.lines.length === 0
      }
    } catch {
      pause = 1000
    }
    await wait(pause)
  }
  if (mayReload()) location.reload()
  else document.getElementById('note').textContent = 'This page was reloaded ten times within a minute. Reload it yourself.'
}
follow()
`
