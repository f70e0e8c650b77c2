import type { LocaldError } from '../../kernel/errors.ts'
import { html, type Markup, prose } from '../lib/page/html.ts'

/** A page that the dashboard serves without its app; its style sheet is served beside it. */
export type Page = string

/**
 * Makes the page that sets off from this origin: a browser does not send the cookie, which is SameSite=Strict, along a
 * redirect that began on another site, such as the terminal's link or another `*.localhost`. @param path where to;
 * undefined: the same URL
 */
export function forwardingPage(title: string, path: string | undefined): Page {
  const refresh = path === undefined ? '0' : `0; url=${path}`
  const link = path === undefined ? html`` : html`<p><a href="${path}">Open the dashboard</a></p>`
  return pageOf(title, html`<h1>${title}</h1>${link}`, html`<meta http-equiv="refresh" content="${refresh}">`)
}

/** Makes the page for a refused request. */
export function refusalPage({ message, hint }: LocaldError): Page {
  const title = message.charAt(0).toUpperCase() + message.slice(1)
  return pageOf(title, html`<h1>${title}</h1><p>${prose(hint ?? '')}</p>`, html``)
}

function pageOf(title: string, body: Markup, head: Markup): Page {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – locald</title>
<link rel="stylesheet" href="/page.css">
${head}
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.text
}
