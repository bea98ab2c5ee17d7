// The list of volumes.

import { computed, signal } from '@preact/signals'
import type { Volume } from '../api/types'
import { compare, wordsOf } from '../lib/containers'
import { age, count, parseTime } from '../lib/format'
import { now } from '../store/clock'
import { volumes } from '../store/resources'
import type { Column, Sorting } from '../ui/table'
import { DeleteButton, MirrorList, MirrorName, UsedBy, usedBy } from './mirrorlist'

const state = { search: signal(''), sorting: signal<Sorting>({ column: 'name', descending: false }) }

const nameOf = (v: Volume): string => v.status?.name ?? v.metadata.name
const usersOf = (v: Volume): string[] | undefined => usedBy.value.volumes.get(nameOf(v))

const order: Record<string, (a: Volume, b: Volume) => number> = {
  name: (a, b) => compare(nameOf(a), nameOf(b)),
  created: (a, b) => (parseTime(b.status?.createdAt) ?? 0) - (parseTime(a.status?.createdAt) ?? 0),
}

const rows = computed(() => {
  const all = volumes()
  void all.version.value
  const words = wordsOf(state.search.value)
  const { column, descending } = state.sorting.value
  const list = [...all.items.values()].filter((v) => words.every((word) => nameOf(v).toLowerCase().includes(word)))
  list.sort(order[column])
  return descending ? list.reverse() : list
})

const columns: Column<Volume>[] = [
  {
    id: 'name',
    title: 'Volume',
    width: 'minmax(10rem, 2.5fr)',
    sort: true,
    cell: (v) => (
      <MirrorName object={v}>
        <span title={nameOf(v)}>{nameOf(v)}</span>
      </MirrorName>
    ),
  },
  { id: 'driver', title: 'Driver', width: '6rem', rank: 2, cell: (v) => v.status?.driver },
  { id: 'users', title: 'Used by', width: 'minmax(7rem, 2fr)', cell: (v) => <UsedBy names={usersOf(v)} /> },
  { id: 'mountpoint', title: 'Mount point', width: 'minmax(8rem, 2.5fr)', rank: 1, cell: (v) => <code title={v.status?.mountpoint}>{v.status?.mountpoint}</code> },
  { id: 'created', title: 'Age', width: '5rem', rank: 2, sort: true, cell: (v) => age(v.status?.createdAt, now.value) },
  {
    id: 'actions',
    title: '',
    width: '3.5rem',
    cell: (v) => <DeleteButton object={v} resource="volumes" name={nameOf(v)} text="All files in the volume are lost." users={usersOf(v)} />,
  },
]

export function Volumes() {
  const all = volumes()
  void all.order.value
  return (
    <MirrorList
      title="Volumes"
      summary={count(all.items.size, 'volume')}
      all={all}
      rows={rows.value}
      columns={columns}
      state={state}
      empty={{ title: 'No volumes', text: 'Create one with docker volume create, or with docker run --volume. It appears here at once.' }}
    />
  )
}
