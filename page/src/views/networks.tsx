// The list of networks.

import { computed, signal } from '@preact/signals'
import type { Network } from '../api/types'
import { compare, wordsOf } from '../lib/containers'
import { age, count, parseTime, shortID } from '../lib/format'
import { now } from '../store/clock'
import { networks } from '../store/resources'
import type { Column, Sorting } from '../ui/table'
import { DeleteButton, MirrorList, MirrorName, UsedBy, usedBy } from './mirrorlist'

const state = { search: signal(''), sorting: signal<Sorting>({ column: 'name', descending: false }) }

// Every engine has these networks, and refuses to remove them.
const predefined = new Set(['bridge', 'host', 'none'])

const nameOf = (n: Network): string => n.status?.name ?? n.metadata.name
const subnetsOf = (n: Network): string => (n.status?.ipam?.configs ?? []).map((c) => c.subnet ?? '').join(', ')
const usersOf = (n: Network): string[] | undefined => usedBy.value.networks.get(nameOf(n))

const order: Record<string, (a: Network, b: Network) => number> = {
  name: (a, b) => compare(nameOf(a), nameOf(b)),
  created: (a, b) => (parseTime(b.status?.createdAt) ?? 0) - (parseTime(a.status?.createdAt) ?? 0),
}

const rows = computed(() => {
  const all = networks()
  void all.version.value
  const words = wordsOf(state.search.value)
  const { column, descending } = state.sorting.value
  const list = [...all.items.values()].filter((n) => words.every((word) => `${nameOf(n)} ${subnetsOf(n)}`.toLowerCase().includes(word)))
  list.sort(order[column])
  return descending ? list.reverse() : list
})

const columns: Column<Network>[] = [
  {
    id: 'name',
    title: 'Network',
    width: 'minmax(9rem, 2fr)',
    sort: true,
    cell: (n) => (
      <MirrorName object={n}>
        <span title={nameOf(n)}>{nameOf(n)}</span>
        {n.status?.internal && <span class="badge">internal</span>}
      </MirrorName>
    ),
  },
  { id: 'id', title: 'ID', width: '8rem', rank: 1, cell: (n) => <code>{shortID(n.status?.id)}</code> },
  { id: 'driver', title: 'Driver', width: '5.5rem', rank: 2, cell: (n) => n.status?.driver },
  { id: 'subnet', title: 'Subnets', width: 'minmax(8rem, 1.5fr)', rank: 2, cell: (n) => <code>{subnetsOf(n)}</code> },
  { id: 'users', title: 'Used by', width: 'minmax(7rem, 2fr)', cell: (n) => <UsedBy names={usersOf(n)} /> },
  { id: 'created', title: 'Age', width: '5rem', rank: 2, sort: true, cell: (n) => age(n.status?.createdAt, now.value) },
  {
    id: 'actions',
    title: '',
    width: '3.5rem',
    cell: (n) =>
      predefined.has(nameOf(n)) ? null : (
        <DeleteButton object={n} resource="networks" name={nameOf(n)} text="Containers that refer to the network do not start without it." users={usersOf(n)} />
      ),
  },
]

export function Networks() {
  const all = networks()
  void all.order.value
  return (
    <MirrorList
      title="Networks"
      summary={count(all.items.size, 'network')}
      all={all}
      rows={rows.value}
      columns={columns}
      state={state}
      empty={{ title: 'No networks', text: 'The engine does not run. Start it on the overview.' }}
    />
  )
}
