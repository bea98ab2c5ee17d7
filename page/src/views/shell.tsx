// The frame of all views: the navigation, and what is said about the daemon.

import type { ComponentChildren } from 'preact'
import { connection, socket } from '../api/socket'
import { clock, duration } from '../lib/format'
import { now } from '../store/clock'
import { session } from '../store/resources'
import { Announcer } from '../ui/announce'
import { Asked } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { href, route } from '../ui/router'

export const sections: [view: string, title: string][] = [
  ['overview', 'Overview'],
  ['containers', 'Containers'],
  ['images', 'Images'],
  ['volumes', 'Volumes'],
  ['networks', 'Networks'],
  ['tree', 'Tree'],
  ['settings', 'Settings'],
  ['doctor', 'Doctor'],
]

export function Frame({ children }: { children: ComponentChildren }) {
  const { view } = route.value
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <nav class="sidebar" aria-label="Views">
        <a class="brand" href={href('overview')}>
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>rdd</span>
          {session.value && session.value.instance !== '2' && <span class="badge">{session.value.instance}</span>}
        </a>
        <ul>
          {sections.map(([id, title]) => (
            <li key={id}>
              <a href={href(id)} aria-current={view === id ? 'page' : undefined}>
                <Icon name={id} />
                <span>{title}</span>
              </a>
            </li>
          ))}
        </ul>
        <p class="legal">
          <a href="/licenses.txt" target="_blank" rel="noreferrer">
            Licenses
          </a>
        </p>
      </nav>
      <main id="main" tabIndex={-1}>
        <Disconnected />
        {children}
      </main>
      <Asked />
      <Announcer />
    </div>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

// Disconnected says that the daemon does not answer, since when, and what to do.
function Disconnected() {
  const { state, since } = connection.value
  if (state === 'open') return null
  const waited = now.value - since
  if (state === 'connecting' && waited < 1000) return null
  return (
    <div class="disconnected" role="alert">
      <Icon name="warning" />
      <div>
        <strong>The daemon has not answered since {clock(since)}</strong>
        <p>
          What you see is from then. The page continues by itself when the daemon is back. If that takes longer than a few seconds, run <code>rdd svc start</code>.
        </p>
      </div>
      <span class="detail" aria-hidden="true">
        {duration(waited)}
      </span>
      <button type="button" class="button" onClick={() => socket.retry()}>
        Retry now
      </button>
    </div>
  )
}

export function SignedOut() {
  return (
    <main class="signed-out" id="main">
      <img src="/icon.svg" alt="" width="56" height="56" />
      <h1>This browser is not signed in</h1>
      <p>
        Run this command in a terminal of this machine. It opens the page with a new session:
      </p>
      <p>
        <code class="command">{command()}</code>
      </p>
      <p class="detail">A session ends when “rdd ui --revoke” runs, or when it was not used for long.</p>
    </main>
  )
}

function command(): string {
  const instance = session.value?.instance
  return instance && instance !== '2' ? `rdd --instance ${instance} ui` : 'rdd ui'
}
