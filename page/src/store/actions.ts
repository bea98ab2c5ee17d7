// What a click on an object does. The results are shown where the object is shown.

import { signal } from '@preact/signals'
import { errorText, send, sendJSON } from '../api/http'
import { appPath, namespaced } from '../api/paths'
import type { App, Container, Obj, Request } from '../api/types'
import { actionAnnotation, failedAction, isRunning } from '../lib/containers'
import { announce } from '../ui/announce'
import type { Collection } from './collection'
import { apps, containers, mirrorNamespace } from './resources'

// failures has the errors of requests by the UID of their object.
export const failures = signal<ReadonlyMap<string, string>>(new Map())
// sending has the UIDs of objects with a request on its way.
export const sending = signal<ReadonlySet<string>>(new Set())

function setFailure(uid: string, text: string | undefined): void {
  const next = new Map(failures.value)
  if (text) next.set(uid, text)
  else next.delete(uid)
  failures.value = next
}

export function dismiss(uid: string): void {
  setFailure(uid, undefined)
}

function setSending(uid: string, on: boolean): void {
  const next = new Set(sending.value)
  if (on) next.add(uid)
  else next.delete(uid)
  sending.value = next
}

// attempt carries out a request for an object, and records how it ended.
async function attempt(object: Obj, what: string, carryOut: () => Promise<void>): Promise<boolean> {
  const { uid } = object.metadata
  setFailure(uid, undefined)
  setSending(uid, true)
  try {
    await carryOut()
    return true
  } catch (err) {
    setFailure(uid, `${what} failed: ${errorText(err)}`)
    announce(`${what} failed: ${errorText(err)}`)
    return false
  } finally {
    setSending(uid, false)
  }
}

const mergePatch = 'application/merge-patch+json'

// act requests an action of a container.
export function act(c: Container, action: string, name: string): Promise<boolean> {
  return attempt(c, `${action} of ${name}`, async () => {
    const path = namespaced(mirrorNamespace(), 'containers', c.metadata.name)
    const patch = { metadata: { uid: c.metadata.uid, annotations: { [actionAnnotation]: action } } }
    containers().set(await sendJSON<Container>('PATCH', path, patch, mergePatch))
    announce(`${action} of ${name} requested`)
  })
}

// remove deletes a mirror, and so its object in the engine.
export function remove(object: Obj, resource: string, name: string): Promise<boolean> {
  return attempt(object, `Deletion of ${name}`, async () => {
    await send(namespaced(mirrorNamespace(), resource, object.metadata.name), {
      method: 'DELETE',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: object.metadata.uid } }),
    })
    announce(`Deletion of ${name} requested`)
  })
}

const stopPatience = 60_000

// stopAndRemove deletes a container that runs. The engine refuses to remove one that has
// not stopped yet.
export async function stopAndRemove(c: Container, name: string): Promise<void> {
  if (isRunning(c)) {
    const before = (containers().items.get(c.metadata.uid) ?? c).status?.lastAction
    if (!(await act(c, 'stop', name))) return
    let failure: string | undefined
    const ended = await until(containers(), stopPatience, (all) => {
      const current = all.items.get(c.metadata.uid)
      if (!current || !isRunning(current)) return true
      failure = failedAction(current, 'stop', before)
      return failure !== undefined
    })
    if (failure !== undefined) {
      setFailure(c.metadata.uid, `Stop of ${name} failed, so it was not deleted: ${failure}`)
      announce(`Stop of ${name} failed: ${failure}`)
      return
    }
    if (!ended) {
      setFailure(c.metadata.uid, `${name} has not stopped within a minute, so it was not deleted: use “Kill”, and delete it again`)
      return
    }
  }
  if (containers().items.has(c.metadata.uid)) await remove(c, 'containers', name)
}

// until waits for a condition of a collection, and reports whether it became true.
function until<T extends Obj>(all: Collection<T>, patience: number, met: (all: Collection<T>) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let stop: (() => void) | undefined
    const end = (result: boolean): void => {
      clearTimeout(timer)
      queueMicrotask(() => stop?.())
      resolve(result)
    }
    timer = setTimeout(() => end(met(all)), patience)
    stop = all.version.subscribe(() => {
      if (met(all)) end(true)
    })
  })
}

// setRunning starts or stops the engine.
export function setRunning(app: App, running: boolean): Promise<boolean> {
  return attempt(app, running ? 'Start of the engine' : 'Stop of the engine', async () => {
    // As with rdd start, a new value of retry also starts an idle VM, and retries what
    // was refused.
    const spec = running ? { running, vm: { retry: new Date().toISOString() } } : { running }
    apps().set(await sendJSON<App>('PATCH', `${appPath}/app`, { spec }, mergePatch))
  })
}

// createRequest creates a request of rdd, such as an ImagePullRequest.
export function createRequest<T extends Request>(kind: string, resource: string, spec: T['spec']): Promise<T> {
  return sendJSON<T>('POST', namespaced(mirrorNamespace(), resource), {
    apiVersion: 'containers.rancherdesktop.io/v1alpha1',
    kind,
    metadata: { generateName: 'page-' },
    spec,
  })
}

// removeRequest deletes a request, which cancels one that is not finished.
export async function removeRequest(request: Request, resource: string): Promise<void> {
  await send(namespaced(mirrorNamespace(), resource, request.metadata.name), { method: 'DELETE' })
}
