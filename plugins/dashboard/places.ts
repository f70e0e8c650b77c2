/**
 * The paths of the app's screens, as a pattern for JSON schemas, too. Each is the same page, which reads its path; the
 * state of a screen is in the query.
 */
export const placePattern = '^/(?:(?:logs|requests|terminals|graph|system)?|service/[^/?#]+)$'

const places = new RegExp(placePattern)

/** Returns whether a path is one of the app's screens. */
export function isPlace(path: string): boolean {
  return places.test(path)
}

/** Returns the path of the page about a service, by its key. */
export function placeOf(key: string): string {
  return `/service/${encodeURIComponent(key).replace('%3A', ':')}`
}

/** Returns the URL that signs a browser in. @param place the path of the page to begin with */
export function signInUrl(origin: string, token: string, place = '/'): string {
  return `${origin}/sign-in?token=${token}${place === '/' ? '' : `&to=${encodeURIComponent(place)}`}`
}
