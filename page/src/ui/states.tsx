// What a view shows instead of data, or beside it.

import type { ComponentChildren } from 'preact'
import { connection } from '../api/socket'
import type { Phase } from '../store/collection'
import { clock } from '../lib/format'
import { Icon } from './icons'

// Content shows the children when there is data, and otherwise why there is none.
export function Content({ phase, what, children }: { phase: Phase; what: string; children: ComponentChildren }) {
  if (phase.name === 'error') {
    return (
      <Problem title={`The list of ${what} cannot be read`} next="The page retries. See “rdd svc logs” if the error remains.">
        {phase.error}
      </Problem>
    )
  }
  if (phase.name !== 'ready') return phase.stale ? <Waiting what={what} /> : <Loading what={what} />
  return (
    <>
      {phase.error && <Problem title={`The list of ${what} is not up to date`}>{phase.error}</Problem>}
      {children}
    </>
  )
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="empty" role="status" aria-busy="true">
      <span class="spinner" aria-hidden="true" />
      <p>Loading {what}…</p>
    </div>
  )
}

function Waiting({ what }: { what: string }) {
  return (
    <div class="empty" role="status">
      <p>The {what} appear here when the daemon answers.</p>
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
    </div>
  )
}

export function Problem({ title, next, children }: { title: string; next?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{title}</strong>
        {children && <p>{children}</p>}
        {next && <p>{next}</p>}
      </div>
    </div>
  )
}

// Stale says how old the data is while the daemon does not answer.
export function Stale() {
  const { state, since } = connection.value
  if (state !== 'lost') return null
  return <span class="badge warn">as of {clock(since)}</span>
}

// isOld reports whether the data can be old.
export function isOld(phase?: Phase): boolean {
  return connection.value.state === 'lost' || phase?.stale === true
}
