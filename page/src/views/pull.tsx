// Pulls of images, with their progress.

import { useId, useState } from 'preact/hooks'
import { errorText } from '../api/http'
import type { PullRequest } from '../api/types'
import { parseTime } from '../lib/format'
import { progressText, requestState, share } from '../lib/requests'
import { createRequest, removeRequest } from '../store/actions'
import { now } from '../store/clock'
import { pulls } from '../store/resources'
import { Button, Status } from '../ui/controls'
import { Dialog } from '../ui/dialog'
import { Problem } from '../ui/states'

export function PullDialog({ onClose }: { onClose: () => void }) {
  const [image, setImage] = useState('')
  const [platform, setPlatform] = useState('')
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const pull = async (): Promise<void> => {
    setBusy(true)
    setError('')
    try {
      const spec = { image: image.trim(), ...(platform.trim() ? { platform: platform.trim() } : {}) }
      pulls().set(await createRequest<PullRequest>('ImagePullRequest', 'imagepullrequests', spec))
      onClose()
    } catch (err) {
      setError(errorText(err))
      setBusy(false)
    }
  }
  return (
    <Dialog title="Pull an image" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (image.trim()) void pull()
        }}
      >
        <Field label="Image" name="image" value={image} required placeholder="nginx:1.27" help="A reference with an optional tag or digest. Without a tag, it is “latest”." onInput={setImage} />
        <Field label="Platform" name="platform" value={platform} placeholder="linux/arm64" help="If empty, it is the engine's own." onInput={setPlatform} />
        {error && <Problem title="The image cannot be pulled">{error}</Problem>}
        <div class="dialog-footer">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy || !image.trim()}>
            Pull
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface FieldProps {
  label: string
  name: string
  value: string
  required?: boolean
  placeholder: string
  help: string
  onInput: (value: string) => void
}

function Field({ label, name, value, required, placeholder, help, onInput }: FieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} name={name} value={value} autofocus={required} required={required} autocomplete="off" spellcheck={false} placeholder={placeholder} aria-describedby={`${id}-help`} onInput={(event) => onInput(event.currentTarget.value)} />
      <small id={`${id}-help`}>{help}</small>
    </div>
  )
}

// A finished pull is shown for this time.
const recent = 60_000

// Pulls shows the pulls that run, and those that have just ended.
export function Pulls() {
  const all = pulls()
  void all.version.value
  const shown = [...all.items.values()].filter((r) => {
    const state = requestState(r)
    if (state === 'failed') return true
    return state !== 'complete' || now.value - (parseTime(r.status?.completedAt) ?? 0) < recent
  })
  if (shown.length === 0) return null
  return (
    <ul class="pulls" aria-label="Pulls">
      {shown.map((r) => (
        <Pull key={r.metadata.uid} request={r} />
      ))}
    </ul>
  )
}

const titles = { waiting: 'Waiting', running: 'Pulling', complete: 'Pulled', failed: 'Pull failed' }
const tones = { waiting: 'busy', running: 'busy', complete: 'good', failed: 'bad' } as const

function Pull({ request }: { request: PullRequest }) {
  const state = requestState(request)
  const done = share(request.status?.progress)
  const active = state === 'waiting' || state === 'running'
  return (
    <li>
      <Status tone={tones[state]}>
        {titles[state]} {request.spec.image}
      </Status>
      {active && <progress aria-label={`Progress of ${request.spec.image}`} {...(done === undefined ? {} : { value: done })} max={1} />}
      <span class="detail">{active ? progressText(request.status?.progress) || request.status?.message : state === 'failed' && request.status?.message}</span>
      <Button
        kind="icon"
        icon="close"
        label={active ? `Cancel the pull of ${request.spec.image}` : `Dismiss the pull of ${request.spec.image}`}
        onClick={() => void removeRequest(request, 'imagepullrequests').catch(() => undefined)}
      />
    </li>
  )
}
