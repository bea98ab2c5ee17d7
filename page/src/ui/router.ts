// The address of a view is the hash, so that the daemon serves one document.

import { signal } from '@preact/signals'

export interface Route {
  // view is the first part of the address, and parts are the rest.
  view: string
  parts: string[]
}

export function parseRoute(hash: string): Route {
  const [view, ...parts] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part)
      } catch {
        return part
      }
    })
  return { view: view ?? 'overview', parts }
}

export const route = signal<Route>(parseRoute(location.hash))

addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash)
})

// href returns the address of a view.
export function href(...parts: string[]): string {
  return '#/' + parts.map(encodeURIComponent).join('/')
}

export function go(...parts: string[]): void {
  location.hash = href(...parts)
}
