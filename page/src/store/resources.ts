// The collections of all views. A collection is followed from its first use on.

import { signal } from '@preact/signals'
import { appPath, events, namespaced } from '../api/paths'
import type { App, Container, Event, Image, Network, Obj, PruneRequest, PullRequest, Session, Volume } from '../api/types'
import { containerKey } from '../lib/containers'
import { Collection } from './collection'

export const session = signal<Session | undefined>(undefined)

const collections = new Map<string, Collection<Obj>>()

function collection<T extends Obj>(id: string, create: (id: string) => Collection<T>): Collection<T> {
  let found = collections.get(id) as Collection<T> | undefined
  if (!found) {
    found = create(id)
    collections.set(id, found as unknown as Collection<Obj>)
  }
  return found.start()
}

// mirrorNamespace is the namespace of the mirrors.
export function mirrorNamespace(): string {
  return session.value?.namespace ?? 'rancher-desktop'
}

function inNamespace<T extends Obj>(resource: string, key?: (object: T) => string): Collection<T> {
  return collection(namespaced(mirrorNamespace(), resource), (path) => new Collection<T>(path, {}, key))
}

export const apps = (): Collection<App> => collection('apps', () => new Collection<App>(appPath))
export const containers = (): Collection<Container> => inNamespace<Container>('containers', containerKey)
export const images = (): Collection<Image> =>
  inNamespace<Image>('images', (i) => [i.status?.repoTag, i.status?.size, i.metadata.deletionTimestamp].join())
export const volumes = (): Collection<Volume> => inNamespace<Volume>('volumes', (v) => v.metadata.deletionTimestamp ?? '')
export const networks = (): Collection<Network> => inNamespace<Network>('networks', (n) => n.metadata.deletionTimestamp ?? '')
export const pulls = (): Collection<PullRequest> => inNamespace('imagepullrequests')
export const prunes = (): Collection<PruneRequest> => inNamespace('prunerequests')

// appEvents are the events of the App, which has no namespace.
export const appEvents = (): Collection<Event> =>
  collection('appevents', () => new Collection<Event>(events('default'), { fieldSelector: 'involvedObject.kind=App' }))

// eventsOf returns the events of one object. Its user stops the collection.
export function eventsOf(object: Obj): Collection<Event> {
  const selector = `involvedObject.uid=${object.metadata.uid}`
  return new Collection<Event>(events(mirrorNamespace()), { fieldSelector: selector }).start()
}

// app returns the App, which is the only one.
export function app(): App | undefined {
  const all = apps()
  void all.version.value
  return all.byName.get('app')
}
