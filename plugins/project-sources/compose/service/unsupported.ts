import { entriesOf, itemsOf, type Node, textOf } from '../node.ts'
import type { KeyReader } from '../reader.ts'

/** What a service with one of these keys needs, locald does not give: without it the service would not work. */
const refused: Readonly<Record<string, string>> = {
  pid: 'locald shares no process ids with other containers or this machine',
  uts: 'locald shares no host name with this machine',
  devices: 'locald gives containers no devices',
  device_cgroup_rules: 'locald gives containers no devices',
  gpus: 'locald gives containers no devices',
  runtime: "locald uses the engine's own runtime",
  cgroup_parent: 'locald leaves control groups to the engine',
  volumes_from: 'locald does not mount the volumes of another service: write them out',
  provider: 'locald runs no providers of compose',
  models: 'locald runs no models of compose',
  use_api_socket: "locald gives containers no access to the engine's socket",
  credential_spec: 'locald runs no Windows containers',
  isolation: 'locald runs no Windows containers',
}

/** Keys that a service works without, and what differs then. */
const dropped: Readonly<Record<string, string>> = {
  annotations: 'the container has none',
  attach: '`locald logs SERVICE` follows the services of choice',
  blkio_config: 'the container has no such limit',
  cap_add: "the container has the engine's default capabilities",
  cap_drop: "the container has the engine's default capabilities",
  cgroup: 'the engine decides',
  cpu_count: 'the container has no such limit: set cpus',
  cpu_percent: 'the container has no such limit: set cpus',
  cpu_period: 'the container has no such limit: set cpus',
  cpu_quota: 'the container has no such limit: set cpus',
  cpu_rt_period: 'the container has no such limit',
  cpu_rt_runtime: 'the container has no such limit',
  cpu_shares: 'the container has no such weight',
  cpuset: 'the container may use all processors',
  develop: 'changes of files do not reach the container: mount the folder, or set watch to restart',
  dns: "the container uses the engine's name servers",
  dns_opt: "the container uses the engine's name servers",
  dns_search: "the container uses the engine's name servers",
  domainname: 'the container has no domain',
  external_links: 'containers outside the project are not reached by name',
  group_add: 'the process has no further groups',
  label_file: 'the container has no labels from files',
  links: "other containers are reached by their services' names only",
  logging: 'locald stores the output: `locald logs`',
  mac_address: 'the engine chooses one',
  mem_reservation: 'the container has no such limit: set memory',
  mem_swappiness: 'the container has no such limit',
  memswap_limit: 'the container has no such limit: set memory',
  oom_kill_disable: 'the system may kill it for lack of memory',
  oom_score_adj: 'the container has no such weight',
  pids_limit: 'the container has no such limit',
  platform: "the image is that of this machine's processor",
  post_start: 'the commands do not run',
  pre_stop: 'the commands do not run',
  read_only: "the container's files can be written",
  security_opt: "the container has the engine's default profile",
  stdin_open: 'the container has no input',
  storage_opt: 'the container has no such limit',
  sysctls: "the container has the engine's defaults",
  tty: 'the container has no terminal',
  ulimits: "the container has the engine's limits",
}

/** Lists what is left of a service: all that no other function has taken. */
export function noteUnsupported(service: KeyReader, name: string): void {
  for (const key of ['container_name', 'profiles']) service.take(key)
  const hostname = service.text('hostname')
  if (hostname !== undefined && hostname !== name)
    service.note('dropped', 'hostname', "other containers reach it by the service's name")
  noteModes(service)
  noteNetworks(service)
  noteHosts(service)
  const scale = service.text('scale')
  if (scale !== undefined && scale !== '1') service.note('refused', 'scale', 'a service has one container')
  for (const [key, node] of service.rest) {
    const why = refused[key]
    const consequence = dropped[key]
    if (isOff(node)) continue
    if (Object.hasOwn(refused, key) && why !== undefined) service.note('refused', key, why, node.at)
    else if (Object.hasOwn(dropped, key) && consequence !== undefined)
      service.note('dropped', key, consequence, node.at)
    else service.note('dropped', key, 'unknown key', node.at)
  }
}

/** Whether a value asks for nothing: `false`, an empty list or an empty mapping. */
function isOff(node: Node): boolean {
  if (node.kind === 'list') return node.items.length === 0
  return node.kind === 'mapping' ? node.entries.size === 0 : node.text === 'false'
}

/** Namespaces that are shared with this machine or another container, and all privileges. */
function noteModes(service: KeyReader): void {
  const mode = service.text('network_mode')
  if (mode !== undefined && mode !== 'bridge' && mode !== 'default')
    service.note('refused', 'network_mode', `'${mode}': each container of locald is in its project's network`)
  for (const key of ['ipc', 'userns_mode']) {
    const value = service.text(key)
    if (value === undefined || ['', 'private', 'shareable'].includes(value)) continue
    service.note('refused', key, `'${value}': locald shares none with other containers or this machine`)
  }
  if (service.flag('privileged') === true)
    service.note('refused', 'privileged', 'locald gives no container all rights on this machine')
}

/** Networks of the project become one; what a service has in them besides is listed. */
function noteNetworks(service: KeyReader): void {
  for (const [name, node] of entriesOf(service.take('networks'))) {
    for (const [key, value] of entriesOf(node)) {
      if (key.startsWith('x-') || key === 'priority') continue
      const consequence =
        key === 'aliases'
          ? "other containers reach it by the service's name only"
          : 'the engine chooses: services are reached by name'
      service.note('dropped', `networks.${name}.${key}`, consequence, value.at)
    }
  }
}

/** The name of this machine is there anyway. */
function noteHosts(service: KeyReader): void {
  const node = service.take('extra_hosts')
  const texts =
    node?.kind === 'mapping'
      ? entriesOf(node).map(([name, value]) => `${name}:${textOf(value)}`)
      : itemsOf(node).map(item => textOf(item) ?? '')
  const others = texts.filter(text => !/^host\.docker\.internal[:=]/.test(text))
  if (node !== undefined && others.length > 0)
    service.note('dropped', 'extra_hosts', 'the container knows no further names', node.at)
}
