/**
 * Converts any text, such as a folder's name, to a DNS label, the form of names of projects and services; `fallback`
 * where no character can be kept.
 */
export function labelOf(text: string, fallback = 'project'): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
  const kept = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-/, '')
  return kept.slice(0, 63).replace(/-$/, '') || fallback
}
