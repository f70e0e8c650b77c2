declare module '../../kernel/contract/services/process-table.ts' {
  interface ProcessTree {
    /** Folder of the service's own cgroup, if it joined one. */
    readonly cgroup?: string
  }
}

declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** A platform plugin's, where there can be cgroups. */
    readonly cgroups: Cgroups
  }
}

/** A cgroup for each service (Linux, cgroups(7)). */
export interface Cgroups {
  /** Creates one for a service of this name; returns its folder, undefined where there can be none. */
  make(name: string): Promise<string | undefined>
  /** Kills its processes, and removes it. */
  remove(folder: string): Promise<void>
}
