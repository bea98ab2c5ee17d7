// Mounts, networks, labels and other facts of a container.

import type { Container } from '../../api/types'
import { localTime } from '../../lib/format'
import { Copy, Facts } from '../../ui/controls'
import { Ports } from '../containercolumns'

export function Details({ container }: { container: Container }) {
  return (
    <div class="cards">
      <Process c={container} />
      <Mounts c={container} />
      <Networks c={container} />
      <Labels labels={container.status?.labels} />
    </div>
  )
}

function Process({ c }: { c: Container }) {
  const s = c.status ?? {}
  const policy = s.restartPolicy
  const command = [s.path, ...(s.args ?? [])].filter(Boolean).join(' ')
  return (
    <article class="card" aria-labelledby="process-title">
      <h2 id="process-title">Container</h2>
      <Facts
        facts={[
          { name: 'ID', value: <Copied text={c.metadata.name} what="the ID" /> },
          { name: 'Image', value: s.image },
          { name: 'Image ID', value: s.imageID && <Copied text={s.imageID} what="the ID of the image" /> },
          { name: 'Command', value: command && <code>{command}</code> },
          { name: 'Working directory', value: s.workingDir },
          { name: 'User', value: s.user || 'root' },
          { name: 'Host name', value: s.hostname },
          { name: 'Restart policy', value: policy?.name && (policy.maximumRetryCount ? `${policy.name}, at most ${policy.maximumRetryCount} times` : policy.name) },
          { name: 'Restarts', value: s.restartCount || undefined },
          { name: 'Process', value: s.pid || undefined },
          { name: 'Ports', value: (s.ports?.length ?? 0) > 0 && <Ports c={c} /> },
          { name: 'Created', value: localTime(s.createdAt) },
          { name: 'Started', value: localTime(s.startedAt) },
          { name: 'Ended', value: s.exitReason && `${localTime(s.finishedAt)}: ${s.exitReason}` },
          { name: 'Health', value: s.health?.status !== 'none' && s.health?.status },
          { name: 'Last probe', value: s.health?.output && <code>{s.health.output}</code> },
        ].map((fact) => ({ ...fact, value: fact.value === false ? undefined : fact.value }))}
      />
    </article>
  )
}

function Copied({ text, what }: { text: string; what: string }) {
  return (
    <span class="copied">
      <code>{text}</code>
      <Copy text={text} what={what} />
    </span>
  )
}

function Mounts({ c }: { c: Container }) {
  const mounts = c.status?.mounts ?? []
  return (
    <article class="card" aria-labelledby="mounts-title">
      <h2 id="mounts-title">Mounts</h2>
      {mounts.length === 0 && <p class="detail">None.</p>}
      <Facts
        facts={mounts.map((m) => ({
          name: m.destination,
          value: (
            <>
              {m.type} <code>{m.volume ?? m.source}</code>
              {m.readOnly && ' (read-only)'}
            </>
          ),
        }))}
      />
    </article>
  )
}

function Networks({ c }: { c: Container }) {
  const networks = c.status?.networks ?? []
  return (
    <article class="card" aria-labelledby="networks-title">
      <h2 id="networks-title">Networks</h2>
      {networks.length === 0 && <p class="detail">None.</p>}
      <Facts
        facts={networks.map((n) => ({
          name: n.name,
          value: [...(n.addresses ?? []), n.macAddress].filter(Boolean).join(', ') || 'not connected, because the container does not run',
        }))}
      />
    </article>
  )
}

export function Labels({ labels }: { labels: Record<string, string> | undefined }) {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return (
    <article class="card" aria-labelledby="labels-title">
      <h2 id="labels-title">Labels</h2>
      {entries.length === 0 && <p class="detail">None.</p>}
      <Facts facts={entries.map(([name, value]) => ({ name, value: value || '(empty)' }))} />
    </article>
  )
}
