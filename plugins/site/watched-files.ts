import { isAbsolute, join, resolve } from 'node:path'
import type { CommonOptions } from '../../kernel/contract/plugin.ts'
import type { SiteOptions } from './options.ts'

/** What builds write beside their output: caches of bundlers and generators. */
const caches = [
  ...[
    '.angular',
    '.astro',
    '.cache',
    '.docusaurus',
    '.next',
    '.nuxt',
    '.parcel-cache',
    '.svelte-kit',
    '.turbo',
    '.vite',
  ],
  ...['.vitepress/cache', '.hugo_build.lock', 'resources/_gen', '*.tsbuildinfo'],
]

/**
 * Returns the patterns of the files that matter to a site, relative to the project's root: those that its build reads,
 * which are `watch` or else all of `workdir` but the output, and then the output, without what is not served.
 */
export function watchedFiles({ path, build, reload }: SiteOptions, { workdir, watch }: CommonOptions): string[] {
  const folder = workdir ?? '.'
  const output = isAbsolute(path) ? path : join(folder, path)
  const below = (of: string, what = '**') => `${escapeGlob(of)}/${what}`
  const sources = [below(folder), `!${below(output)}`, ...caches.map(name => `!${below(folder, `**/${name}`)}`)]
  const served = [below(output), ...['**/.*', '**/.*/**'].map(hidden => `!${below(output, hidden)}`)]
  return [...(watch.length > 0 ? watch : build === undefined ? [] : sources), ...(reload ? served : [])]
}

/** Returns the output folder of a site, absolute. @param dir its working folder */
export function outputOf({ path }: SiteOptions, dir: string): string {
  return resolve(dir, path)
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}()!+@|]/g, '\\$&')
}
