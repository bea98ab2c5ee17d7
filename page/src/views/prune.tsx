// Removes what is unused, after a preview.

import { useEffect, useRef, useState } from 'preact/hooks'
import { errorText } from '../api/http'
import type { PruneRequest } from '../api/types'
import { bytes, count } from '../lib/format'
import { pruneKey, requestState, samePruned } from '../lib/requests'
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

// A prune has three stages: a preview; a check, which is another preview when the user has
// confirmed the first; and the removal. A PruneRequest cannot name objects, so the check is
// what makes it remove what was shown.
type Stage = 'preview' | 'check' | 'removal'

export function Prune({ onClose }: { onClose: () => void }) {
  const [choice, setChoice] = useState<Choice>({ kinds: ['Container', 'Network', 'Image'], all: false })
  const [name, setName] = useState('')
  const [error, setError] = useState('')
  const [stage, setStage] = useState<Stage>('preview')
  // shown is the preview that the user sees.
  const [shown, setShown] = useState<PruneRequest | undefined>(undefined)
  const [isChanged, setChanged] = useState(false)
  // The answers of earlier choices can arrive late.
  const last = useRef(0)
  const run = async (next: Stage): Promise<void> => {
    const current = ++last.current
    setError('')
    setStage(next)
    // The request of the stage before must not be shown as the result of this one.
    setName('')
    try {
      const request = await createPrune(choice, next !== 'removal')
      if (current !== last.current) return
      prunes().set(request)
      setName(request.metadata.name)
    } catch (err) {
      if (current !== last.current) return
      setError(errorText(err))
      setStage('preview')
    }
  }
  // Each choice has a preview of its own.
  useEffect(() => {
    last.current++
    setName('')
    setShown(undefined)
    setChanged(false)
    if (choice.kinds.length > 0) void run('preview')
  }, [choice])
  const all = prunes()
  void all.version.value
  const request = all.byName.get(name)
  const state = request && requestState(request)
  useEffect(() => {
    if (state === 'failed' && stage === 'check') setStage('preview')
    if (!request || state !== 'complete' || stage === 'removal') return
    if (stage === 'check' && shown && samePruned(shown, request)) {
      void run('removal')
      return
    }
    setChanged(stage === 'check')
    setStage('preview')
    setShown(request)
  }, [name, state])
  const result = stage === 'removal' ? request : (shown ?? request)
  const canRun = stage === 'preview' && (shown?.status?.prunedCount ?? 0) > 0
  const footer = <Footer request={request} canRun={canRun} busy={stage !== 'preview' && state !== 'failed'} finished={stage === 'removal' && state === 'complete'} onRun={() => void run('check')} onClose={onClose} />
  return (
    <Dialog title="Remove what is unused" onClose={onClose} footer={footer}>
      {stage === 'preview' && <Choices choice={choice} onChange={setChoice} />}
      <Problems error={error} failed={state === 'failed' ? request : undefined} isChanged={isChanged && stage === 'preview'} />
      {choice.kinds.length === 0 && <p>Select what to remove.</p>}
      {choice.kinds.length > 0 && !error && <Result request={result} shown={stage === 'removal' ? shown : undefined} />}
    </Dialog>
  )
}

function createPrune(choice: Choice, dryRun: boolean): Promise<PruneRequest> {
  const spec = { ...choice, dryRun, ttlSecondsAfterFinished: 120 }
  return createRequest<PruneRequest>('PruneRequest', 'prunerequests', spec)
}

function Problems({ error, failed, isChanged }: { error: string; failed: PruneRequest | undefined; isChanged: boolean }) {
  return (
    <>
      {error && <Problem title="The prune cannot run">{error}</Problem>}
      {failed && <Problem title="The prune failed">{failed.status?.message}</Problem>}
      {isChanged && <Problem title="What is unused has changed since the preview">Nothing was removed. Check the list again.</Problem>}
    </>
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

// Result shows a preview, or what was removed. shown is the preview of what was removed.
function Result({ request, shown }: { request: PruneRequest | undefined; shown: PruneRequest | undefined }) {
  if (!request || requestState(request) === 'waiting' || requestState(request) === 'running') {
    return request?.status?.message ? <p role="status">{request.status.message}</p> : <Loading what={shown ? 'the result' : 'the preview'} />
  }
  const { pruned = [], prunedCount = 0, reclaimedBytes = 0 } = request.status ?? {}
  const size = reclaimedBytes ? `, ${bytes(reclaimedBytes)}` : ''
  const known = shown && new Set((shown.status?.pruned ?? []).map(pruneKey))
  if (requestState(request) === 'failed') return null
  if (prunedCount === 0) return <p role="status">Nothing is unused.</p>
  return (
    <>
      <p role="status">
        {shown ? 'Removed' : 'Unused now:'} {count(prunedCount, 'object')}
        {size}
        {shown ? ':' : '. “Remove” removes these, if they are still all that is unused.'}
      </p>
      <ul class="names" tabIndex={0} aria-label={shown ? 'Removed objects' : 'Unused objects'}>
        {pruned.map((p) => (
          <li key={pruneKey(p)}>
            <span class="badge">{p.kind}</span> {p.name} {p.bytes ? <span class="detail">{bytes(p.bytes)}</span> : null}
            {known && known.size < 100 && !known.has(pruneKey(p)) && <span class="badge warn">not in the preview</span>}
          </li>
        ))}
        {prunedCount > pruned.length && <li>and {prunedCount - pruned.length} more</li>}
      </ul>
    </>
  )
}

interface FooterProps {
  request: PruneRequest | undefined
  canRun: boolean
  busy: boolean
  finished: boolean
  onRun: () => void
  onClose: () => void
}

function Footer({ request, canRun, busy, finished, onRun, onClose }: FooterProps) {
  const close = (): void => {
    if (request) void removeRequest(request, 'prunerequests').catch(() => undefined)
    onClose()
  }
  return (
    <>
      <button type="button" class="button" onClick={close}>
        {finished ? 'Close' : 'Cancel'}
      </button>
      {!finished && <Button kind="danger" icon="delete" label="Remove" disabled={!canRun} busy={busy} onClick={onRun} />}
    </>
  )
}
