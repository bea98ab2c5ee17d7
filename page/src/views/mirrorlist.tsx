// The list of images, volumes or networks.

import { computed, type ReadonlySignal, type Signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Condition, Obj } from '../api/types'
import { refusedDeletion } from '../lib/containers'
import { usage, usedByText, type Usage } from '../lib/usage'
import { failures, remove, sending } from '../store/actions'
import type { Collection } from '../store/collection'
import { containers } from '../store/resources'
import { Button, Search } from '../ui/controls'
import { Dialog, ask } from '../ui/dialog'
import { Content, Empty, Stale, isOld } from '../ui/states'
import { Table, type Column, type Sorting } from '../ui/table'
import { Refusal } from './refusal'

export type Mirror = Obj & { status?: { conditions?: Condition[] } }

// usedBy is who uses what. It is computed once for all rows.
export const usedBy: ReadonlySignal<Usage> = computed(() => {
  const all = containers()
  void all.order.value
  return usage(all.items.values())
})

export interface ListState {
  search: Signal<string>
  sorting: Signal<Sorting>
}

export interface MirrorListProps<T extends Mirror> {
  title: string
  summary: string
  all: Collection<T>
  rows: T[]
  columns: Column<T>[]
  state: ListState
  tools?: ComponentChildren
  above?: ComponentChildren
  empty: { title: string; text: ComponentChildren }
}

export function MirrorList<T extends Mirror>(props: MirrorListProps<T>) {
  const { title, all, rows, state } = props
  void all.version.value
  const phase = all.phase.value
  const sort = (column: string): void => {
    const before = state.sorting.value
    state.sorting.value = { column, descending: before.column === column && !before.descending }
  }
  return (
    <section class="view fill" aria-labelledby="title">
      <header class="head">
        <h1 id="title">{title}</h1>
        <p class="summary">{props.summary}</p>
        <Stale />
        <div class="tools">
          <Search label={`Search ${title.toLowerCase()}`} value={state.search.value} onInput={(value) => (state.search.value = value)} />
          {props.tools}
        </div>
      </header>
      {props.above}
      <Content phase={phase} what={title.toLowerCase()}>
        {rows.length > 0 ? (
          <Table label={title} columns={props.columns} rows={rows} rowKey={(o) => o.metadata.uid} note={refusalOf} sorting={state.sorting.value} onSort={sort} stale={isOld(phase)} />
        ) : all.items.size > 0 ? (
          <Empty title={`No ${title.toLowerCase()} match`} />
        ) : (
          <Empty title={props.empty.title}>{props.empty.text}</Empty>
        )}
      </Content>
    </section>
  )
}

// refusalOf shows what the engine refuses below its row.
function refusalOf(object: Mirror): ComponentChildren {
  const text = refusedDeletion(object)
  return text || failures.value.has(object.metadata.uid) ? <Refusal uid={object.metadata.uid} text={text} /> : undefined
}

// MirrorName shows the name, and whether the object is being deleted.
export function MirrorName({ object, children }: { object: Mirror; children: ComponentChildren }) {
  return (
    <div class="name">
      {children}
      {object.metadata.deletionTimestamp && <span class="badge warn">deleting</span>}
    </div>
  )
}

export function UsedBy({ names }: { names: string[] | undefined }) {
  return <span title={names?.join(', ')}>{usedByText(names) || <span class="detail">not used</span>}</span>
}

export interface DeleteProps {
  object: Mirror
  resource: string
  name: string
  // what happens, and who uses the object.
  text: string
  users: string[] | undefined
}

export function DeleteButton(props: DeleteProps) {
  const { object, name } = props
  if (object.metadata.deletionTimestamp) return null
  const open = (): void => ask((close) => <DeleteMirror {...props} onClose={close} />)
  return (
    <div class="actions">
      <Button kind="icon" icon="delete" label={`Delete ${name}`} busy={sending.value.has(object.metadata.uid)} onClick={open} />
    </div>
  )
}

function DeleteMirror({ object, resource, name, text, users, onClose }: DeleteProps & { onClose: () => void }) {
  const confirm = (): void => {
    onClose()
    void remove(object, resource, name)
  }
  return (
    <Dialog
      title={`Delete ${name}?`}
      onClose={onClose}
      footer={
        <>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <Button kind="danger" icon="delete" label="Delete" onClick={confirm} />
        </>
      }
    >
      <p>{text}</p>
      {users && users.length > 0 && (
        <p>
          The engine can refuse this, because {usedByText(users, 8)} {users.length === 1 ? 'uses' : 'use'} it.
        </p>
      )}
    </Dialog>
  )
}
