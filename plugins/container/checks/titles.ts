/** The checks of container engines, by id. */
export const titles = {
  containers: 'Container services',
  'rootless-containers': 'Rootless containers',
  docker: 'docker',
  podman: 'podman',
  'container-trial': 'Trial of the container engine',
} as const

export type CheckId = keyof typeof titles

export function isCheckId(id: string): id is CheckId {
  return Object.hasOwn(titles, id)
}
