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

const programs = ['app.rb', 'main.rb', 'server.rb', 'web.rb', 'hello.rb']
const sinatra = /^[ \t]*require[ \t]*\(?[ \t]*["']sinatra["']/m
/** Other servers; they choose their port. */
const servers = /^[ \t]*require[ \t]*\(?[ \t]*["'](?:webrick|puma|rackup|agoo|socket)["']/m

/** Rack: config.ru, or a program of Sinatra or another server. */
export const rack: ProjectDetector = {
  files: ['config.ru', ...programs, 'Gemfile'],
  async detect(folder) {
    const bundled = (await folder.has('Gemfile')) ? 'bundle exec ' : ''
    const detection = (file: string, command: string) => ({
      ...{ file, watched: [] },
      services: { web: { command: `${bundled}${command}` } },
    })
    if (await folder.has('config.ru')) return detection('config.ru', 'rackup --host 127.0.0.1 --port $PORT')
    for (const file of programs) {
      const text = await folder.read(file)
      if (text === undefined) continue
      if (sinatra.test(text)) return detection(file, `ruby ${file} -p $PORT`)
      if (servers.test(text)) return detection(file, `ruby ${file}`)
    }
    return undefined
  },
}

/** Jekyll: its configuration, beside a Gemfile that names it. */
export const jekyll: ProjectDetector = {
  files: ['_config.yml', 'Gemfile'],
  async detect(folder) {
    if (!(await folder.has('_config.yml'))) return undefined
    const gems = await folder.read('Gemfile')
    const services = (command: string) => ({ web: { command: `${command} serve --host 127.0.0.1 --port $PORT` } })
    if (gems !== undefined && /\b(?:jekyll|github-pages)\b/.test(gems))
      return { file: '_config.yml', services: services('bundle exec jekyll'), watched: [] }
    return { reason: '_config.yml is beside no Gemfile with Jekyll', example: services('jekyll') }
  },
}
