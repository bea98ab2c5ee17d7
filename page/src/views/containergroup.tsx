// The head of a Compose project in the list of containers.

import { containerName, isRunning, type Group } from '../lib/containers'
import { count } from '../lib/format'
import { act, remove, stopAndRemove } from '../store/actions'
import { Button } from '../ui/controls'
import { Dialog, ask } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { Menu } from '../ui/menu'

export function GroupHead({ group, closed, onToggle }: { group: Group; closed: boolean; onToggle: (project: string) => void }) {
  const { project, members, running } = group
  return (
    <div class="group">
      <button type="button" class="group-toggle" aria-expanded={!closed} onClick={() => onToggle(project)}>
        <Icon name={closed ? 'right' : 'down'} />
        <strong>{project || 'Without a project'}</strong>
      </button>
      <span class="summary">
        {running} of {count(members.length, 'container')} running
      </span>
      {project && <GroupActions group={group} />}
    </div>
  )
}

function GroupActions({ group: { project, members } }: { group: Group }) {
  const running = members.filter(isRunning)
  const each = (list: typeof members, action: string): void => {
    for (const c of list) void act(c, action, containerName(c))
  }
  const restart = { label: 'Restart all', icon: 'restart', onSelect: () => each(members, 'restart') }
  const removal = { label: 'Delete all…', icon: 'delete', danger: true, onSelect: () => ask((close) => <DeleteGroup project={project} members={members} onClose={close} />) }
  return (
    <div class="actions">
      {running.length < members.length && (
        <Button
          kind="icon"
          icon="start"
          label={`Start all containers of ${project}`}
          onClick={() =>
            each(
              members.filter((c) => !isRunning(c)),
              'start',
            )
          }
        />
      )}
      {running.length > 0 && <Button kind="icon" icon="stop" label={`Stop all containers of ${project}`} onClick={() => each(running, 'stop')} />}
      <Menu label={`More actions for ${project}`} items={[restart, removal]} />
    </div>
  )
}

function DeleteGroup({ project, members, onClose }: { project: string; members: Group['members']; onClose: () => void }) {
  const confirm = (): void => {
    onClose()
    for (const c of members) {
      if (isRunning(c)) void stopAndRemove(c, containerName(c))
      else void remove(c, 'containers', containerName(c))
    }
  }
  return (
    <Dialog
      title={`Delete ${count(members.length, 'container')} of ${project}?`}
      onClose={onClose}
      footer={
        <>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <Button kind="danger" icon="delete" label="Stop and delete" onClick={confirm} />
        </>
      }
    >
      <p>Networks and volumes of the project remain.</p>
      <ul class="names">
        {members.map((c) => (
          <li key={c.metadata.uid}>{containerName(c)}</li>
        ))}
      </ul>
    </Dialog>
  )
}
