// What the overview says about the App.

import type { App, Condition } from '../api/types'
import type { Tone } from './containers'

export interface Engine {
  tone: Tone
  title: string
  // text is the progress, the cause of a failure, or what remains to be done.
  text: string
}

function find(app: App, type: string): Condition | undefined {
  return app.status?.conditions?.find((c) => c.type === type)
}

// engine returns the state of the engine in words.
export function engine(app: App): Engine {
  const running = find(app, 'Running')
  const ready = find(app, 'ContainerEngineReady')
  const text = running?.message || ''
  switch (running?.reason) {
    case 'Started':
      return started(app, ready, text)
    case 'Starting':
      return { tone: 'busy', title: 'Starting', text }
    case 'Stopping':
      return { tone: 'busy', title: 'Stopping', text }
    case 'StartFailed':
      return { tone: 'bad', title: 'The start failed', text }
    case 'StopFailed':
      return { tone: 'bad', title: 'The stop failed', text }
    case 'Idle':
      return { tone: 'warn', title: 'Idle', text: text || 'The VM was stopped because nothing used it. The next use starts it.' }
    case 'Stopped':
      return { tone: 'off', title: 'Stopped', text }
    default:
      return { tone: 'busy', title: 'Unknown', text: text || 'The daemon has not reported a state yet.' }
  }
}

function started(app: App, ready: Condition | undefined, text: string): Engine {
  if (ready?.status === 'True') return { tone: text ? 'warn' : 'good', title: 'Running', text: text || ready.message }
  if (app.spec.running === false) return { tone: 'busy', title: 'Stopping', text }
  const bad = ready?.reason === 'ConnectFailed'
  return { tone: bad ? 'bad' : 'busy', title: bad ? 'Running, but not connected' : 'Connecting', text: ready?.message ?? text }
}

// waitsFor returns what Settled waits for; empty if the spec is applied.
export function waitsFor(app: App): string {
  const settled = find(app, 'Settled')
  if (!settled) return 'the first report of the daemon'
  if ((settled.observedGeneration ?? 0) < (app.metadata.generation ?? 0)) return 'the daemon to observe the last change'
  if (settled.status === 'True') return ''
  return settled.message || settled.reason
}

// isRefused reports whether the spec cannot be applied until a cause is fixed.
export function isRefused(app: App): boolean {
  const settled = find(app, 'Settled')
  return settled?.status === 'False' && settled.reason === 'Refused'
}
