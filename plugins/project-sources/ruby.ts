import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { assetsOf } from './package-json.ts'

/** Rails: bin/rails. */
export const rails: ProjectDetector = {
  files: ['bin', 'package.json'],
  async detect(folder) {
    if (!(await folder.has('bin/rails'))) return undefined
    const services = { web: { command: 'bin/rails server -p $PORT' }, ...(await assetsOf(folder)) }
    return { file: 'bin/rails', services, watched: ['package.json'] }
  },
}

/** Rack: config.ru, or an app.rb that is a Sinatra program. */
export const rack: ProjectDetector = {
  files: ['config.ru', 'app.rb', 'Gemfile'],
  async detect(folder) {
    const bundled = (await folder.has('Gemfile')) ? 'bundle exec ' : ''
    const detection = (file: string, command: string) => ({
      ...{ file, watched: [] },
      services: { web: { command: `${bundled}${command}` } },
    })
    if (await folder.has('config.ru')) return detection('config.ru', 'rackup --host 127.0.0.1 --port $PORT')
    const text = await folder.read('app.rb')
    if (text === undefined || !/^[ \t]*require[ \t]*\(?[ \t]*["']sinatra["']/m.test(text)) return undefined
    return detection('app.rb', 'ruby app.rb -p $PORT')
  },
}
