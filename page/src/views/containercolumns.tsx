// The columns of the list of containers.

import type { Container } from '../api/types'
import { containerName, healthText, progressText, publishedPorts, refusal, statusText, tone } from '../lib/containers'
import { age, shortID } from '../lib/format'
import { failures } from '../store/actions'
import { now } from '../store/clock'
import { containers } from '../store/resources'
import { Status } from '../ui/controls'
import { href } from '../ui/router'
import type { Column } from '../ui/table'
import { ContainerActions } from './containeractions'
import type { Row } from './containers'
import { Refusal } from './refusal'

// cell shows a column of a container, which has gone if it was just removed.
function cell(show: (c: Container) => preact.ComponentChildren): (row: Row) => preact.ComponentChildren {
  return ({ uid }) => {
    const c = containers().items.get(uid)
    return c ? show(c) : null
  }
}

export const columns: Column<Row>[] = [
  { id: 'name', title: 'Container', width: 'minmax(9rem, 2.2fr)', sort: true, cell: cell((c) => <Name c={c} />) },
  { id: 'image', title: 'Image', width: 'minmax(6rem, 1.8fr)', rank: 2, sort: true, cell: cell((c) => <ImageName c={c} />) },
  { id: 'status', title: 'Status', width: 'minmax(8rem, 1.9fr)', sort: true, cell: cell((c) => <ContainerStatus c={c} />) },
  { id: 'ports', title: 'Ports', width: 'minmax(6rem, 1.2fr)', rank: 2, cell: cell((c) => <Ports c={c} />) },
  { id: 'created', title: 'Age', width: '5rem', rank: 1, cell: cell((c) => <>{age(c.status?.createdAt, now.value)}</>) },
  { id: 'actions', title: '', width: '8.5rem', cell: cell((c) => <ContainerActions container={c} />) },
]

// refusalOf shows what the engine refuses below its row.
export function refusalOf({ uid }: Row): preact.ComponentChildren {
  const c = containers().items.get(uid)
  const text = c && !progressText(c) ? refusal(c, now.value) : ''
  return text || failures.value.has(uid) ? <Refusal uid={uid} text={text} /> : undefined
}

function Name({ c }: { c: Container }) {
  return (
    <div class="name">
      <a href={href('containers', c.metadata.name)}>{containerName(c)}</a>
    </div>
  )
}

function ImageName({ c }: { c: Container }) {
  const image = c.status?.image ?? ''
  return <span title={image}>{image.startsWith('sha256:') ? shortID(image) : image}</span>
}

export function ContainerStatus({ c }: { c: Container }) {
  const doing = progressText(c)
  if (doing) return <Status tone="busy">{doing}…</Status>
  const health = healthText(c)
  return (
    <Status tone={tone(c)}>
      {statusText(c, now.value)}
      {health && <span class={`badge ${health === 'unhealthy' ? 'bad' : ''}`}>{health}</span>}
    </Status>
  )
}

export function Ports({ c }: { c: Container }) {
  const ports = publishedPorts(c.status?.ports)
  return (
    <span class="ports">
      {ports.map((port) =>
        port.url ? (
          <a key={port.text} href={port.url} target="_blank" rel="noreferrer noopener" aria-label={`Open ${port.text} of ${containerName(c)}`}>
            {port.text}
          </a>
        ) : (
          <span key={port.text}>{port.text}</span>
        ),
      )}
    </span>
  )
}
