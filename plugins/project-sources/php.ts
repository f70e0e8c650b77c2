import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { assetsOf } from './package-json.ts'

/** Laravel: artisan. */
export const laravel: ProjectDetector = {
  files: ['artisan', 'package.json'],
  async detect(folder) {
    if (!(await folder.has('artisan'))) return undefined
    const services = { web: { command: 'php artisan serve --port $PORT' }, ...(await assetsOf(folder)) }
    return { file: 'artisan', services, watched: ['package.json'] }
  },
}

const folders = ['public', '.', 'web', 'www', 'htdocs', 'public_html']

/** PHP: index.php in public/, at the root or in another folder for it, with PHP's own server. */
export const php: ProjectDetector = {
  files: ['index.php', ...folders.filter(dir => dir !== '.')],
  async detect(folder) {
    for (const dir of folders) {
      const file = dir === '.' ? 'index.php' : `${dir}/index.php`
      if (await folder.has(file))
        return { file, services: { web: { command: `php -S 127.0.0.1:$PORT -t ${dir}` } }, watched: [] }
    }
    return undefined
  },
}
