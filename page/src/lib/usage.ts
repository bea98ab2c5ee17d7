// Which containers use an image, a volume or a network.

import type { Container, Image } from '../api/types'
import { compare, containerName } from './containers'

export interface Usage {
  images: Map<string, string[]>
  volumes: Map<string, string[]>
  networks: Map<string, string[]>
}

// usage reads all containers once. Images are found by ID, others by name.
export function usage(containers: Iterable<Container>): Usage {
  const found: Usage = { images: new Map(), volumes: new Map(), networks: new Map() }
  for (const c of containers) {
    const name = containerName(c)
    if (c.status?.imageID) add(found.images, c.status.imageID, name)
    for (const mount of c.status?.mounts ?? []) if (mount.volume) add(found.volumes, mount.volume, name)
    for (const network of c.status?.networks ?? []) add(found.networks, network.name, name)
  }
  for (const map of Object.values(found) as Map<string, string[]>[]) {
    for (const names of map.values()) names.sort(compare)
  }
  return found
}

function add(map: Map<string, string[]>, key: string, name: string): void {
  const names = map.get(key)
  if (!names) map.set(key, [name])
  else if (!names.includes(name)) names.push(name)
}

// usedByText returns the first names, and how many more there are.
export function usedByText(names: string[] | undefined, most = 3): string {
  if (!names?.length) return ''
  if (names.length <= most) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}

// diskSize returns the sum of the sizes of images. Tags of one image count once.
export function diskSize(images: Iterable<Image>): number {
  const sizes = new Map<string, number>()
  for (const image of images) sizes.set(image.status?.id ?? image.metadata.uid, image.status?.size ?? 0)
  let sum = 0
  for (const size of sizes.values()) sum += size
  return sum
}
