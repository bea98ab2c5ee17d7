// Paths of the API.

export const appPath = '/apis/app.rancherdesktop.io/v1alpha1/apps'
const containersGroup = 'containers.rancherdesktop.io/v1alpha1'

// namespaced returns the path of a kind in a namespace, or of one of its objects.
export function namespaced(namespace: string, resource: string, name?: string, subresource?: string): string {
  const parts = ['/apis', containersGroup, 'namespaces', encodeURIComponent(namespace), resource]
  if (name) parts.push(encodeURIComponent(name))
  if (subresource) parts.push(subresource)
  return parts.join('/')
}

// events returns the path of the events of a namespace.
export function events(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`
}

// query adds parameters to a path.
export function query(path: string, parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined) search.append(key, String(value))
  }
  const text = search.toString()
  return text ? `${path}?${text}` : path
}
