// Buttons and menu of one container.

import { useState } from 'preact/hooks'
import type { Container } from '../api/types'
import { containerName, isRunning, possibleActions, progressText } from '../lib/containers'
import { capital } from '../lib/format'
import { act, remove, sending, stopAndRemove } from '../store/actions'
import { Button } from '../ui/controls'
import { Dialog } from '../ui/dialog'
import { Menu, type MenuItem } from '../ui/menu'

const icons: Record<string, string> = { start: 'start', stop: 'stop', restart: 'restart', pause: 'pause', unpause: 'start', kill: 'close' }
const words: Record<string, string> = { unpause: 'Resume' }

function label(action: string): string {
  return words[action] ?? capital(action)
}

export function ContainerActions({ container, wide }: { container: Container; wide?: boolean }) {
  const [deleting, setDeleting] = useState(false)
  const name = containerName(container)
  const possible = possibleActions(container)
  const shown = possible.slice(0, 2)
  const busy = sending.value.has(container.metadata.uid) || progressText(container) !== ''
  const items: MenuItem[] = possible.slice(2).map((action) => ({
    label: label(action),
    icon: icons[action] ?? 'more',
    onSelect: () => void act(container, action, name),
  }))
  if (!container.metadata.deletionTimestamp) {
    items.push({ label: 'Delete…', icon: 'delete', danger: true, onSelect: () => setDeleting(true) })
  }
  return (
    <div class="actions">
      {shown.map((action, i) => (
        <Button
          key={action}
          kind={wide ? 'plain' : 'icon'}
          label={wide ? label(action) : `${label(action)} ${name}`}
          icon={icons[action] ?? 'more'}
          busy={busy && i === 0}
          disabled={busy && action === 'start'}
          onClick={() => void act(container, action, name)}
        />
      ))}
      <Menu label={`More actions for ${name}`} items={items} />
      {deleting && <DeleteContainer container={container} onClose={() => setDeleting(false)} />}
    </div>
  )
}

function DeleteContainer({ container, onClose }: { container: Container; onClose: () => void }) {
  const name = containerName(container)
  const running = isRunning(container)
  const confirm = (): void => {
    onClose()
    if (running) void stopAndRemove(container, name)
    else void remove(container, 'containers', name)
  }
  return (
    <Dialog
      title={`Delete container ${name}?`}
      onClose={onClose}
      footer={
        <>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <Button kind="danger" icon="delete" label={running ? 'Stop and delete' : 'Delete'} onClick={confirm} />
        </>
      }
    >
      <p>
        {running && 'The container is running, and is stopped first. '}
        Its files that are not in a volume are lost. Its image and its named volumes remain.
      </p>
    </Dialog>
  )
}
