// A collection holds all objects of one path, and follows their changes.

import { signal } from '@preact/signals'
import { ApiError, errorText, getJSON } from '../api/http'
import { query } from '../api/paths'
import { connection, socket, type Ended, type WatchEvent } from '../api/socket'
import type { Obj } from '../api/types'
import { nextFrame } from './frame'

export interface Phase {
  // name: loading has no data yet, ready has, and error has none and says why. The
  // data of a collection that is stale may be old.
  name: 'idle' | 'loading' | 'ready' | 'error'
  error?: string
  stale?: boolean
}

export interface List<T> {
  metadata: { resourceVersion: string; continue?: string }
  items: T[]
}

// The first objects are drawn before the rest is read. The daemon sends the first page of
// containers with the document, so its limit is also in supervisor/page.go.
const firstPage = 1000
const nextPages = 1000

export class Collection<T extends Obj> {
  // items and byName have the current objects. Views read version, or order, first, so
  // that they are drawn again after a change.
  readonly items = new Map<string, T>()
  readonly byName = new Map<string, T>()
  readonly version = signal(0)
  // order changes when an object comes, goes, or gets another key.
  readonly order = signal(0)
  readonly phase = signal<Phase>({ name: 'idle' })

  private resourceVersion = ''
  private started = false
  private stopWatch: (() => void) | undefined
  private dirty = false
  private reordered = false
  private failures = 0
  private run = 0

  // key returns what the order and the selection of rows depend on.
  constructor(
    readonly path: string,
    private readonly parameters: Record<string, string> = {},
    private readonly key: (object: T) => string = () => '',
  ) {}

  // start begins to follow the path. It can be called again.
  start(): this {
    if (this.started) return this
    this.started = true
    this.phase.value = { name: 'loading' }
    void this.list(++this.run)
    return this
  }

  // stop ends the watch, and forgets the objects.
  stop(): void {
    this.started = false
    this.run++
    this.stopWatch?.()
    this.stopWatch = undefined
    this.items.clear()
    this.byName.clear()
    this.phase.value = { name: 'idle' }
    this.changed(true)
  }

  // set shows an object that a request of this page has returned, without waiting for
  // its event.
  set(object: T): void {
    const known = this.items.get(object.metadata.uid)
    // The watch can have been faster than the response.
    if (known && Number(known.metadata.resourceVersion) > Number(object.metadata.resourceVersion)) return
    if (this.started) this.apply(object)
  }

  private async list(run: number): Promise<void> {
    try {
      const seen = new Set<string>()
      let next: string | undefined
      do {
        const page = await getJSON<List<T>>(query(this.path, { ...this.parameters, limit: next ? nextPages : firstPage, continue: next }))
        if (run !== this.run) return
        for (const object of page.items) {
          seen.add(object.metadata.uid)
          this.apply(object)
        }
        this.resourceVersion = page.metadata.resourceVersion
        next = page.metadata.continue || undefined
        if (this.phase.value.name === 'loading') this.settle({ name: 'ready' })
      } while (next)
      for (const [uid, object] of this.items) {
        if (!seen.has(uid)) this.remove(object)
      }
      this.failures = 0
      this.settle({ name: 'ready' })
      // The first list can be faster than the socket.
      if (connection.value.state === 'connecting') await socket.opens()
      if (run === this.run) this.watch(run)
    } catch (err) {
      if (run === this.run) this.failed(run, err)
    }
  }

  private failed(run: number, err: unknown): void {
    const lost = err instanceof ApiError && err.code === 0
    const known = this.items.size > 0 || this.phase.value.name === 'ready'
    if (lost && !known) this.settle({ name: 'loading', stale: true })
    else if (lost) this.settle({ name: 'ready', stale: true })
    else this.settle({ name: known ? 'ready' : 'error', error: errorText(err), stale: true })
    this.later(run, () => this.list(run))
  }

  private watch(run: number): void {
    const path = query(this.path, {
      ...this.parameters,
      watch: 1,
      resourceVersion: this.resourceVersion,
      allowWatchBookmarks: 'true',
    })
    this.stopWatch = socket.watch(path, {
      event: (event) => this.receive(event as WatchEvent<T>),
      ended: (why) => this.watchEnded(run, why),
    })
  }

  private receive(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') return
    this.resourceVersion = event.object.metadata.resourceVersion
    this.failures = 0
    if (event.type === 'BOOKMARK') return
    if (event.type === 'DELETED') this.remove(event.object)
    else this.apply(event.object)
  }

  private watchEnded(run: number, why: Ended): void {
    if (run !== this.run) return
    this.stopWatch = undefined
    if (why.code === 0) {
      this.settle({ name: this.phase.value.name, stale: true })
      void socket.opens().then(() => {
        // A new daemon can have another history, so all objects are listed again.
        if (run === this.run) void this.list(run)
      })
      return
    }
    // The code 200 is a watch that the server closes after some time.
    if (why.code === 200) this.later(run, async () => this.watch(run))
    else this.later(run, () => this.list(run))
  }

  // later retries after a pause that grows with each failure.
  private later(run: number, retry: () => Promise<void>): void {
    const pause = Math.min(250 * 2 ** this.failures++, 10_000)
    setTimeout(() => {
      void socket.opens().then(() => {
        if (run === this.run) void retry()
      })
    }, pause)
  }

  private apply(object: T): void {
    delete object.metadata.managedFields
    const { uid, name } = object.metadata
    const before = this.items.get(uid)
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return
    this.items.set(uid, object)
    this.byName.set(name, object)
    this.changed(!before || this.key(before) !== this.key(object))
  }

  private remove(object: Obj): void {
    const { uid, name } = object.metadata
    if (!this.items.delete(uid)) return
    if (this.byName.get(name)?.metadata.uid === uid) this.byName.delete(name)
    this.changed(true)
  }

  private settle(phase: Phase): void {
    nextFrame(() => {
      this.phase.value = phase
    })
    this.changed(false)
  }

  private changed(reordered: boolean): void {
    this.dirty = true
    this.reordered ||= reordered
    nextFrame(this.publish)
  }

  private readonly publish = (): void => {
    if (this.reordered) this.order.value++
    if (this.dirty) this.version.value++
    this.dirty = this.reordered = false
  }
}
