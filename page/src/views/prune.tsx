// Removes what is unused, after a preview.

import { useEffect, useRef, useState } from 'preact/hooks'
import { errorText } from '../api/http'
import type { PruneRequest } from '../api/types'
import { bytes, count } from '../lib/format'
import { requestState } from '../lib/requests'
import { createRequest, removeRequest } from '../store/actions'
import { prunes } from '../store/resources'
import { Button, Check } from '../ui/controls'
import { Dialog } from '../ui/dialog'
import { Loading, Problem } from '../ui/states'

const kinds: [kind: string, text: string][] = [
  ['Container', 'Stopped containers'],
  ['Network', 'Networks without containers'],
  ['Image', 'Images without containers'],
  ['Volume', 'Volumes without containers'],
  ['BuildCache', 'Build cache'],
]

interface Choice {
  kinds: string[]
  all: boolean
}

export function Prune({ onClose }: { onClose: () => void }) {
  const [choice, setChoice] = useState<Choice>({ kinds: ['Container', 'Network', 'Image'], all: false })
  const [name, setName] = useState('')
  const [error, setError] = useState('')
  const [dry, setDry] = useState(true)
  // The answers of earlier choices can arrive late.
  const last = useRef(0)
  const run = async (dryRun: boolean): Promise<void> => {
    const current = ++last.current
    setError('')
    try {
      const spec = { ...choice, dryRun, ttlSecondsAfterFinished: 120 }
      const request = await createRequest<PruneRequest>('PruneRequest', 'prunerequests', spec)
      if (current !== last.current) return
      prunes().set(request)
      setDry(dryRun)
      setName(request.metadata.name)
    } catch (err) {
      if (current === last.current) setError(errorText(err))
    }
  }
  // Each choice has a preview of its own.
  useEffect(() => {
    last.current++
    setName('')
    if (choice.kinds.length > 0) void run(true)
  }, [choice])
  const all = prunes()
  void all.version.value
  const request = all.byName.get(name)
  const state = request && requestState(request)
  const finished = !dry && state === 'complete'
  return (
    <Dialog title="Remove what is unused" onClose={onClose} footer={<Footer dry={dry} finished={finished} request={request} onRun={() => void run(false)} onClose={onClose} />}>
      {dry && <Choices choice={choice} onChange={setChoice} />}
      {error && <Problem title="The prune cannot run">{error}</Problem>}
      {state === 'failed' && <Problem title="The prune failed">{request?.status?.message}</Problem>}
      {choice.kinds.length === 0 && <p>Select what to remove.</p>}
      {choice.kinds.length > 0 && !error && <Result request={request} dry={dry} />}
    </Dialog>
  )
}

function Choices({ choice, onChange }: { choice: Choice; onChange: (choice: Choice) => void }) {
  const toggle = (kind: string, on: boolean): void => onChange({ ...choice, kinds: on ? [...choice.kinds, kind] : choice.kinds.filter((k) => k !== kind) })
  return (
    <fieldset class="choices">
      <legend>What to remove</legend>
      {kinds.map(([kind, text]) => (
        <Check key={kind} label={text} checked={choice.kinds.includes(kind)} onChange={(on) => toggle(kind, on)} />
      ))}
      <Check label="Also images with a tag, and volumes with a name" checked={choice.all} onChange={(on) => onChange({ ...choice, all: on })} />
    </fieldset>
  )
}

function Result({ request, dry }: { request: PruneRequest | undefined; dry: boolean }) {
  if (!request || requestState(request) === 'waiting' || requestState(request) === 'running') {
    return request?.status?.message ? <p role="status">{request.status.message}</p> : <Loading what={dry ? 'the preview' : 'the result'} />
  }
  const { pruned = [], prunedCount = 0, reclaimedBytes = 0 } = request.status ?? {}
  const size = reclaimedBytes ? `, ${bytes(reclaimedBytes)}` : ''
  if (requestState(request) === 'failed') return null
  if (prunedCount === 0) return <p role="status">Nothing is unused.</p>
  return (
    <>
      <p role="status">
        {dry ? 'Unused now:' : 'Removed'} {count(prunedCount, 'object')}
        {size}
        {dry ? '. “Remove” checks again, and removes what is unused then.' : ':'}
      </p>
      <ul class="names" tabIndex={0} aria-label="Unused objects">
        {pruned.map((p) => (
          <li key={`${p.kind} ${p.resource ?? p.name}`}>
            <span class="badge">{p.kind}</span> {p.name} {p.bytes ? <span class="detail">{bytes(p.bytes)}</span> : null}
          </li>
        ))}
        {prunedCount > pruned.length && <li>and {prunedCount - pruned.length} more</li>}
      </ul>
    </>
  )
}

interface FooterProps {
  dry: boolean
  finished: boolean
  request: PruneRequest | undefined
  onRun: () => void
  onClose: () => void
}

function Footer({ dry, finished, request, onRun, onClose }: FooterProps) {
  const previewed = dry && request && requestState(request) === 'complete'
  const some = (request?.status?.prunedCount ?? 0) > 0
  const close = (): void => {
    if (request) void removeRequest(request, 'prunerequests').catch(() => undefined)
    onClose()
  }
  return (
    <>
      <button type="button" class="button" onClick={close}>
        {finished ? 'Close' : 'Cancel'}
      </button>
      {!finished && <Button kind="danger" icon="delete" label="Remove" disabled={!previewed || !some} busy={!dry} onClick={onRun} />}
    </>
  )
}
