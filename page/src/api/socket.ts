// One WebSocket carries all watches of the page, because a browser opens only six
// connections to a server.

import { signal } from '@preact/signals'
import { signedOut } from './http'

// Ended is why a watch ended. The code 0 means that the connection is lost.
export interface Ended {
  code: number
  reason: string
  message: string
}

export interface WatchEvent<T = unknown> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: T
}

export interface Handler {
  event(event: WatchEvent): void
  ended(why: Ended): void
}

export interface Connection {
  state: 'connecting' | 'open' | 'lost'
  // since is the time in milliseconds at which the state began.
  since: number
}

// connection is the state of the socket, which is that of the daemon.
export const connection = signal<Connection>({ state: 'connecting', since: Date.now() })

interface Message {
  id: number
  event?: WatchEvent
  ended?: Ended
}

const firstPause = 200
const lastPause = 2000
// A daemon that answers no probe for this time hangs. The answer to the probe is that the
// watch of this path has ended.
const probeEvery = 700
const silence = 1800
const probePath = '/ping'

class Socket {
  private socket: WebSocket | undefined
  private readonly handlers = new Map<number, Handler>()
  private readonly waiting = new Set<() => void>()
  private nextID = 1
  private pause = firstPause
  private heard = 0
  private prober: ReturnType<typeof setInterval> | undefined

  // open connects, and connects again whenever the connection is lost.
  open(): void {
    const url = new URL('/watch', location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
    this.socket = socket
    socket.onopen = () => this.opened()
    socket.onmessage = (message) => this.receive(JSON.parse(message.data as string) as Message)
    socket.onclose = () => this.closed(socket)
  }

  // watch sends the events of a path to the handler. The function that it returns ends
  // the watch. Without a connection the watch ends at once.
  watch(path: string, handler: Handler): () => void {
    const id = this.nextID++
    if (this.socket?.readyState !== WebSocket.OPEN) {
      queueMicrotask(() => handler.ended(lost))
      return () => undefined
    }
    this.handlers.set(id, handler)
    this.socket.send(JSON.stringify({ id, path }))
    return () => {
      if (!this.handlers.delete(id)) return
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ id, stop: true }))
    }
  }

  // opens returns when the socket is open.
  opens(): Promise<void> {
    if (this.socket?.readyState === WebSocket.OPEN) return Promise.resolve()
    return new Promise((resolve) => this.waiting.add(resolve))
  }

  // retry connects at once instead of after the pause.
  retry(): void {
    this.pause = firstPause
    if (connection.value.state === 'lost' && this.socket?.readyState === WebSocket.CLOSED) this.open()
  }

  private opened(): void {
    this.pause = firstPause
    this.heard = Date.now()
    setState('open')
    clearInterval(this.prober)
    this.prober = setInterval(() => this.check(), probeEvery)
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const resolve of waiting) resolve()
  }

  private receive(message: Message): void {
    this.heard = Date.now()
    const handler = this.handlers.get(message.id)
    if (!handler) return
    if (message.event) handler.event(message.event)
    if (message.ended) {
      this.handlers.delete(message.id)
      handler.ended(message.ended)
    }
  }

  // check sends a probe after each pause in which nothing has arrived.
  private check(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return
    if (document.hidden) {
      this.heard = Date.now()
      return
    }
    const quiet = Date.now() - this.heard
    if (quiet > silence) this.abandon()
    else if (quiet > probeEvery / 2) this.socket.send(JSON.stringify({ id: this.nextID++, path: probePath }))
  }

  // abandon gives up a connection on which nothing arrives. Closing it could wait for
  // the daemon, so the page does not wait for that.
  private abandon(): void {
    const socket = this.socket
    if (!socket) return
    socket.onmessage = socket.onopen = socket.onclose = null
    socket.close()
    this.closed(socket)
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket) return
    clearInterval(this.prober)
    setState('lost')
    const handlers = [...this.handlers.values()]
    this.handlers.clear()
    for (const handler of handlers) handler.ended(lost)
    if (signedOut.value) return
    setTimeout(() => {
      if (socket === this.socket) this.open()
    }, this.pause)
    this.pause = Math.min(this.pause * 1.7, lastPause)
    void checkSession()
  }
}

const lost: Ended = { code: 0, reason: 'Disconnected', message: 'The connection to the daemon is lost.' }

// checkSession finds out whether the daemon refuses the session, which a WebSocket does not say.
async function checkSession(): Promise<void> {
  try {
    const response = await fetch('/session', { cache: 'no-store', signal: AbortSignal.timeout(1500) })
    if (response.status === 401) signedOut.value = true
  } catch {
    // The daemon does not answer, which the state of the connection says.
  }
}

function setState(state: Connection['state']): void {
  if (connection.value.state !== state) connection.value = { state, since: Date.now() }
}

export const socket = new Socket()
