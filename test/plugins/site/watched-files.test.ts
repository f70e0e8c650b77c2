import picomatch from 'picomatch'
import t from 'tap'
import { WatchPatterns } from '../../../kernel/config/fields/watch-patterns.ts'
import type { CommonOptions } from '../../../kernel/contract/plugin.ts'
import type { SiteOptions } from '../../../plugins/site/options.ts'
import { watchedFiles } from '../../../plugins/site/watched-files.ts'

const common: CommonOptions = {
  ...{ workdir: undefined, port: undefined, env: {}, envFile: [], dependsOn: {}, healthCheck: undefined },
  ...{ readyTimeout: 1, restart: 'no', stopSignal: 'SIGTERM', stopTimeout: 1, watch: [] },
}

/** Which of these files are watched for a site in `/p`. */
function watched(
  options: Partial<SiteOptions>,
  { common: more = {}, files }: { readonly common?: Partial<CommonOptions>; readonly files: readonly string[] },
): readonly string[] {
  const site = { path: 'dist', spa: false, reload: true, ...options }
  const patterns = new WatchPatterns('/p', watchedFiles(site, { ...common, ...more }), picomatch)
  return files.filter(file => patterns.matches(file))
}

t.test('a build reads all but the output, dependencies, history and caches', async t => {
  const sources = ['/p/src/a.ts', '/p/package.json', '/p/.eleventy.js', '/p/distant/a.ts']
  const output = ['/p/dist/index.html', '/p/dist/assets/a.js']
  const others = [
    ...['/p/node_modules/x/a.js', '/p/.git/HEAD', '/p/.astro/types.d.ts', '/p/sub/.cache/x', '/p/a.tsbuildinfo'],
    ...['/p/dist/.vite/manifest.json', '/p/dist/.tmp', '/p/resources/_gen/a', '/q/a.ts'],
  ]
  const files = [...sources, ...output, ...others]
  t.strictSame(watched({ build: 'x' }, { files }), [...sources, ...output])
  t.strictSame(watched({ build: 'x', reload: false }, { files }), sources)
  t.strictSame(watched({}, { files }), output)
  t.strictSame(watched({ reload: false }, { files }), [])
  t.strictSame(watched({ build: 'x' }, { common: { watch: ['src'] }, files }), ['/p/src/a.ts', ...output])
})

t.test('folders of any name and place are taken literally', async t => {
  const files = ['/p/web/a.ts', '/p/web/out [1]/{a}/x.html', '/p/web/out 1/x.html', '/p/b.ts']
  const options = { path: 'out [1]/{a}', build: 'x' }
  t.strictSame(watched(options, { common: { workdir: 'web' }, files }), files.slice(0, 3))
  const elsewhere = ['/home/me/my (site)/a.html', '/home/me/my (site)/.ssh/id', '/home/me/other/a.html', '/p/a.html']
  t.strictSame(watched({ path: '/home/me/my (site)' }, { files: elsewhere }), elsewhere.slice(0, 1))
})
