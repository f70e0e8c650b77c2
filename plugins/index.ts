import type { BuiltIn } from '../kernel/plugins/discover.ts'

/** What ships, in the order it is loaded. The types are known before any code of a plugin runs. */
const list: readonly BuiltIn[] = [
  { name: 'platform-linux', types: [], platforms: ['linux'], load: () => import('./platform-linux/index.ts') },
  { name: 'platform-darwin', types: [], platforms: ['darwin'], load: () => import('./platform-darwin/index.ts') },
  { name: 'privileges', types: [], load: () => import('./privileges/index.ts') },
  { name: 'exec-runtime', types: ['exec', 'worker'], load: () => import('./exec-runtime/index.ts') },
  { name: 'site', types: ['site'], load: () => import('./site/index.ts') },
  { name: 'cron', types: ['cron'], load: () => import('./cron/index.ts') },
  { name: 'project-sources', types: [], load: () => import('./project-sources/index.ts') },
  { name: 'postgres', types: ['postgres'], load: () => import('./postgres/index.ts') },
  { name: 'container', types: ['container'], load: () => import('./container/index.ts') },
  { name: 'container-lima', types: [], load: () => import('./container-lima/index.ts') },
  { name: 'https', types: [], load: () => import('./https/index.ts') },
  { name: 'hosts', types: [], load: () => import('./hosts/index.ts') },
  { name: 'proxy', types: [], table: 'proxy', load: () => import('./proxy/index.ts') },
  { name: 'worktree-leaks', types: [], load: () => import('./worktree-leaks/index.ts') },
  { name: 'share', types: [], load: () => import('./share/index.ts') },
  { name: 'dashboard', types: [], load: () => import('./dashboard/index.ts') },
]

export default list
