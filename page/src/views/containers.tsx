// The list of containers, grouped by Compose project.

import { computed, signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Container } from '../api/types'
import { compare, containerName, groups, inOrder, isRunning, matches, wordsOf, type Group } from '../lib/containers'
import { count } from '../lib/format'
import { containers } from '../store/resources'
import { Search, Select } from '../ui/controls'
import { Icon } from '../ui/icons'
import { Content, Empty, Stale, isOld } from '../ui/states'
import { Table, type Sorting } from '../ui/table'
import { columns, refusalOf } from './containercolumns'
import { GroupHead } from './containergroup'

// A row is a container, which is found by UID so that rows need not change with it, or the
// head of a group.
export interface Row {
  uid: string
  group?: Group
}

const search = signal('')
const shown = signal('all')
const sorting = signal<Sorting>({ column: 'name', descending: false })
const closed = signal<ReadonlySet<string>>(new Set())

const visible = computed(() => {
  const all = containers()
  void all.order.value
  const words = wordsOf(search.value)
  return [...all.items.values()].filter((c) => matches(c, words) && (shown.value === 'all' || (shown.value === 'running') === isRunning(c)))
})

const rows = computed<Row[]>(() => {
  const { column, descending } = sorting.value
  if (column !== 'name') return sorted(visible.value, column, descending)
  const out: Row[] = []
  const list = groups(visible.value)
  const named = list.some((group) => group.project)
  for (const group of list) {
    if (named) out.push({ uid: `group ${group.project}`, group })
    if (named && closed.value.has(group.project)) continue
    const members = group.members.map((c) => ({ uid: c.metadata.uid }))
    out.push(...(descending ? members.reverse() : members))
  }
  return out
})

const keys: Record<string, (c: Container) => string> = {
  image: (c) => c.status?.image ?? '',
  status: (c) => c.status?.status ?? '',
  started: (c) => c.status?.startedAt ?? '',
}

function sorted(list: Container[], column: string, descending: boolean): Row[] {
  const key = keys[column] ?? containerName
  const order = inOrder(list, containerName).sort((a, b) => compare(key(a), key(b)))
  if (descending) order.reverse()
  return order.map((c) => ({ uid: c.metadata.uid }))
}

function sortBy(column: string): void {
  const before = sorting.value
  sorting.value = { column, descending: before.column === column && !before.descending }
}

function toggle(project: string): void {
  const next = new Set(closed.value)
  if (!next.delete(project)) next.add(project)
  closed.value = next
}

export function Containers() {
  const all = containers()
  void all.version.value
  const phase = all.phase.value
  return (
    <section class="view fill" aria-labelledby="title">
      <header class="head">
        <h1 id="title">Containers</h1>
        <Summary />
        <Stale />
        <div class="tools">
          <Search label="Search name, image, port" value={search.value} onInput={(value) => (search.value = value)} />
          <Select
            label="Show"
            value={shown.value}
            options={[
              ['all', 'all'],
              ['running', 'running'],
              ['stopped', 'stopped'],
            ]}
            onChange={(value) => (shown.value = value)}
          />
        </div>
      </header>
      <Content phase={phase} what="containers">
        {rows.value.length > 0 ? (
          <Table
            label="Containers"
            columns={columns}
            rows={rows.value}
            rowKey={(row) => row.uid}
            banner={banner}
            note={refusalOf}
            sorting={sorting.value}
            onSort={sortBy}
            stale={isOld(phase)}
          />
        ) : (
          <Nothing any={all.items.size > 0} />
        )}
      </Content>
    </section>
  )
}

function banner(row: Row): ComponentChildren | undefined {
  if (!row.group) return undefined
  return <GroupHead group={row.group} closed={closed.value.has(row.group.project)} onToggle={toggle} />
}

function Summary() {
  const all = containers()
  void all.order.value
  let running = 0
  for (const c of all.items.values()) if (c.status?.status === 'running') running++
  return (
    <p class="summary">
      {running.toLocaleString('en')} of {count(all.items.size, 'container')} running
    </p>
  )
}

function Nothing({ any }: { any: boolean }) {
  if (any) {
    return (
      <Empty title="No container matches">
        <button
          type="button"
          class="button"
          onClick={() => {
            search.value = ''
            shown.value = 'all'
          }}
        >
          <Icon name="close" />
          Show all containers
        </button>
      </Empty>
    )
  }
  return (
    <Empty title="No containers">
      Create one with <code>docker run</code> or <code>rdd run</code>, for example <code>docker run -d -p 8080:80 nginx</code>. It appears here at once. Without a running engine the list is empty too.
    </Empty>
  )
}
