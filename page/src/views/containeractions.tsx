// Buttons and menu of one container.

import type { Container } from '../api/types'
import { containerName, isRunning, possibleActions, progressText } from '../lib/containers'
import { capital } from '../lib/format'
import { act, remove, sending, stopAndRemove } from '../store/actions'
import { containers } from '../store/resources'
import { Button } from '../ui/controls'
import { Dialog, ask } from '../ui/dialog'
import { Menu, type MenuItem } from '../ui/menu'

const icons: Record<string, string> = { start: 'start', stop: 'stop', restart: 'restart', pause: 'pause', unpause: 'start', kill: 'close' }
const words: Record<string, string> = { unpause: 'Resume' }

function label(action: string): string {
  return words[action] ?? capital(action)
}

export function ContainerActions({ container, wide }: { container: Container; wide?: boolean }) {
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
    items.push({ label: 'Delete…', icon: 'delete', danger: true, onSelect: () => ask((close) => <DeleteContainer asked={container} onClose={close} />) })
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
    </div>
  )
}

function DeleteContainer({ asked, onClose }: { asked: Container; onClose: () => void }) {
  const all = containers()
  void all.version.value
  const container = all.items.get(asked.metadata.uid) ?? asked
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
