/** Returns whether an image's name has no registry: its first part does not look like a host. */
export function isShortName(image: string): boolean {
  const [first = '', ...rest] = image.split('/')
  return rest.length === 0 || !(first.includes('.') || first.includes(':') || first === 'localhost')
}

/**
 * Returns the whole name of what docker pulls for a short one. Podman has no default registry: on Debian it refuses
 * names it has no alias for, on Fedora it shows a menu of registries, for which a terminal is missing here.
 */
export function onDockerHub(image: string): string {
  return image.includes('/') ? `docker.io/${image}` : `docker.io/library/${image}`
}
