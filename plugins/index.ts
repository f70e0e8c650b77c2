import type { BuiltIn } from '../kernel/plugins/discover.ts'
import container from './container/index.ts'
import containerLima from './container-lima/index.ts'
import cron from './cron/index.ts'
import dashboard from './dashboard/index.ts'
import execRuntime from './exec-runtime/index.ts'
import hosts from './hosts/index.ts'
import https from './https/index.ts'
import postgres from './postgres/index.ts'
import privileges from './privileges/index.ts'
import projectSources from './project-sources/index.ts'
import proxy from './proxy/index.ts'
import share from './share/index.ts'
import site from './site/index.ts'
import worktreeLeaks from './worktree-leaks/index.ts'

/**
 * What ships, in the order it is loaded. All but the platforms are in one file with this list, which Node reads faster
 * than one for each; what a plugin seldom needs it imports itself, at its first use.
 */
const list: readonly BuiltIn[] = [
  { name: 'platform-linux', types: [], platforms: ['linux'], load: () => import('./platform-linux/index.ts') },
  { name: 'platform-darwin', types: [], platforms: ['darwin'], load: () => import('./platform-darwin/index.ts') },
  { name: 'privileges', types: [], load: async () => ({ default: privileges }) },
  { name: 'exec-runtime', types: ['exec', 'worker'], load: async () => ({ default: execRuntime }) },
  { name: 'site', types: ['site'], load: async () => ({ default: site }) },
  { name: 'cron', types: ['cron'], load: async () => ({ default: cron }) },
  { name: 'project-sources', types: [], load: async () => ({ default: projectSources }) },
  { name: 'postgres', types: ['postgres'], load: async () => ({ default: postgres }) },
  { name: 'container', types: ['container'], load: async () => ({ default: container }) },
  { name: 'container-lima', types: [], load: async () => ({ default: containerLima }) },
  { name: 'https', types: [], load: async () => ({ default: https }) },
  { name: 'hosts', types: [], load: async () => ({ default: hosts }) },
  { name: 'proxy', types: [], table: 'proxy', load: async () => ({ default: proxy }) },
  { name: 'worktree-leaks', types: [], load: async () => ({ default: worktreeLeaks }) },
  { name: 'share', types: [], load: async () => ({ default: share }) },
  { name: 'dashboard', types: [], load: async () => ({ default: dashboard }) },
]

export default list
