import t from 'tap'
import type { CommonOptions, ProjectPlan, ServicePlan } from '../../../kernel/contract/plugin.ts'
import { hostsOf } from '../../../kernel/registry/hostnames.ts'
import { ref } from './projects.ts'

t.test('gives the domain to web, or the service named like the project, or the only one', async t => {
  const common: CommonOptions = {
    workdir: undefined,
    port: undefined,
    env: {},
    envFile: [],
    dependsOn: {},
    healthCheck: undefined,
    readyTimeout: 1,
    restart: 'no',
    stopSignal: 'SIGTERM',
    stopTimeout: 1,
    watch: [],
  }
  const hosts = (services: Readonly<Record<string, string>>) => {
    const plan: ProjectPlan = {
      ...ref('/p', 'shop'),
      env: {},
      services: Object.entries(services).map(([name, type]) => ({ name, type, common, options: {} })),
      routes: [],
      files: [],
    }
    const isWeb = ({ type }: ServicePlan) => type === 'exec'
    return Object.fromEntries(plan.services.map(service => [service.name, hostsOf(service, plan, plan, isWeb)]))
  }
  t.strictSame(hosts({ web: 'exec', api: 'exec', db: 'postgres' }), {
    web: ['shop.localhost', 'web.shop.localhost'],
    api: ['api.shop.localhost'],
    db: [],
  })
  t.strictSame(hosts({ shop: 'exec', api: 'exec' }).shop, ['shop.localhost', 'shop.shop.localhost'])
  t.strictSame(hosts({ shop: 'exec', web: 'exec' }).shop, ['shop.shop.localhost'], 'web comes first')
  t.strictSame(hosts({ web: 'worker', api: 'exec' }).api, ['api.shop.localhost', 'shop.localhost'], 'the only one')
  t.strictSame(hosts({ api: 'exec', admin: 'exec' }), { api: ['api.shop.localhost'], admin: ['admin.shop.localhost'] })
})
