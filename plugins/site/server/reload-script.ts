/**
 * The script of pages that reload when files change. A hidden page has no connection, since a browser opens six
 * HTTP/1.1 connections to a host; it compares versions when it is visible again.
 */
export const reloadScript = `(() => {
  const events = new URL('events', document.currentScript.src)
  let source, version
  const seen = (event, act) => {
    if (version !== undefined && version !== event.data) act()
    version = event.data
  }
  const reload = () => location.reload()
  const restyle = () => {
    for (const link of document.querySelectorAll('link[rel~=stylesheet][href]')) {
      const url = new URL(link.href)
      if (url.origin !== location.origin) continue
      url.searchParams.set('locald', version)
      link.href = url.href
    }
  }
  const close = () => {
    source?.close()
    source = undefined
  }
  const open = () => {
    if (document.hidden || source !== undefined) return
    source = new EventSource(events)
    source.addEventListener('version', event => seen(event, reload))
    source.addEventListener('change', event => seen(event, reload))
    source.addEventListener('style', event => {
      version = event.data
      restyle()
    })
    source.addEventListener('error', () => {
      if (source?.readyState !== 2) return
      close()
      setTimeout(open, 1000)
    })
  }
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
  addEventListener('pagehide', close)
  addEventListener('pageshow', event => event.persisted && reload())
  open()
})()
`
