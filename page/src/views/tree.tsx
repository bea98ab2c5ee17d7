// The supervision tree: every actor, what it does, and what failed.

import { computed, signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { TreeNode } from '../api/types'
import { containerName, wordsOf, type Tone } from '../lib/containers'
import { age, count } from '../lib/format'
import { grow, lines, search as searchTree, type Branch, type Line } from '../lib/tree'
import { now } from '../store/clock'
import { containers, images, networks, volumes } from '../store/resources'
import { followTree, treeFailures, treeNodes, treePhase } from '../store/tree'
import { Search, Status } from '../ui/controls'
import { Icon } from '../ui/icons'
import { Content, Empty, Stale, isOld } from '../ui/states'

const search = signal('')
const closed = signal<ReadonlySet<string>>(new Set())
const shown = computed(() => lines(grow(treeNodes.value), closed.value as Set<string>))

const mostFound = 200

export function Tree() {
  useEffect(followTree, [])
  const phase = treePhase.value
  const restarts = treeNodes.value.reduce((sum, n) => sum + n.restarts, 0)
  return (
    <section class="view" aria-labelledby="title">
      <header class="head">
        <h1 id="title">Supervision tree</h1>
        <p class="summary">
          {count(treeNodes.value.length, 'actor')}, {count(restarts, 'restart')}
        </p>
        <Stale />
        <div class="tools">
          <Search label="Find an actor by name" value={search.value} onInput={(value) => (search.value = value)} />
        </div>
      </header>
      <Content phase={phase} what="supervision tree">
        <div class={isOld(phase) ? 'tree-view stale' : 'tree-view'}>
          {search.value.trim() ? <Found /> : <Branches />}
          <Failures />
        </div>
      </Content>
    </section>
  )
}

const heads = ['Actor', 'State', 'Since', 'Restarts', 'Mailbox', 'Last failure']

function Head() {
  return (
    <div role="row" class="tree-row tree-head">
      {heads.map((title) => (
        <span key={title} role="columnheader">
          {title}
        </span>
      ))}
    </div>
  )
}

function Branches() {
  const grid = useRef<HTMLDivElement>(null)
  return (
    <div class="card tree" role="treegrid" aria-label="Supervision tree" ref={grid} onKeyDown={(event) => onKey(event, shown.value)}>
      <Head />
      {shown.value.map((line, i) => (
        <Row key={line.branch.name} line={line} first={i === 0} />
      ))}
    </div>
  )
}

function Row({ line, first }: { line: Line; first: boolean }) {
  const { branch, depth, hasChildren } = line
  const open = hasChildren ? !closed.value.has(branch.name) : undefined
  return (
    <div role="row" class="tree-row" aria-level={depth + 1} aria-expanded={open} tabIndex={first ? 0 : -1} data-name={branch.name} onClick={() => hasChildren && toggle(branch.name)}>
      <span role="gridcell" class="actor">
        <span class={`indent d${Math.min(depth, 6)}`} aria-hidden="true" />
        {hasChildren && <Icon name={open ? 'down' : 'right'} />}
        <span>{branch.label}</span>
        {branch.count > 1 && <span class="badge">×{branch.count.toLocaleString('en')}</span>}
      </span>
      <Cells node={branch} />
    </div>
  )
}

function Cells({ node }: { node: TreeNode | Branch }) {
  return (
    <>
      <span role="gridcell">
        <Status tone={toneOf(node.state)}>{node.state}</Status>
      </span>
      <span role="gridcell" class="num">
        {age(node.since, now.value)}
      </span>
      <span role="gridcell" class={node.restarts > 0 ? 'num warn' : 'num'}>
        {node.restarts}
      </span>
      <span role="gridcell" class={node.mailbox > 0 ? 'num warn' : 'num'}>
        {node.mailbox}
      </span>
      <span role="gridcell" class="failure">
        {node.lastFailure && `${age(node.lastFailureAt, now.value)} ago: ${node.lastFailure}`}
      </span>
    </>
  )
}

// toneOf returns the color of a state. Actors name their states themselves.
function toneOf(state: string): Tone {
  if (/fail|refused|lost/i.test(state)) return 'bad'
  if (/(start|stop|connect|wait|retry|mirror)ing|joining|probing|leaving/i.test(state)) return 'busy'
  if (/stopped|idle|none|absent|not joined/i.test(state)) return 'off'
  return 'good'
}

function toggle(name: string): void {
  const next = new Set(closed.value)
  if (!next.delete(name)) next.add(name)
  closed.value = next
}

// onKey moves in the tree as ARIA describes it for a treegrid.
function onKey(event: KeyboardEvent & { currentTarget: HTMLElement }, all: Line[]): void {
  const row = (event.target as HTMLElement).closest<HTMLElement>('[role=row][data-name]')
  if (!row) return
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=row][data-name]')]
  const at = rows.indexOf(row)
  const line = all[at]
  const focus = (index: number): void => {
    const next = rows[Math.min(Math.max(index, 0), rows.length - 1)]
    if (!next) return
    row.tabIndex = -1
    next.tabIndex = 0
    next.focus()
  }
  const isOpen = line?.hasChildren && !closed.value.has(line.branch.name)
  if (event.key === 'ArrowDown') focus(at + 1)
  else if (event.key === 'ArrowUp') focus(at - 1)
  else if (event.key === 'Home') focus(0)
  else if (event.key === 'End') focus(rows.length - 1)
  else if (event.key === 'ArrowRight') isOpen ? focus(at + 1) : line?.hasChildren && toggle(line.branch.name)
  else if (event.key === 'ArrowLeft') isOpen ? toggle(line!.branch.name) : focus(parentOf(all, at))
  else if ((event.key === 'Enter' || event.key === ' ') && line?.hasChildren) toggle(line.branch.name)
  else return
  event.preventDefault()
}

function parentOf(all: Line[], at: number): number {
  const depth = all[at]?.depth ?? 0
  for (let i = at - 1; i >= 0; i--) if (all[i]!.depth < depth) return i
  return at
}

// nameOf returns the engine's name of the object that an actor mirrors.
function nameOf(actor: string): string {
  const [kind, name] = actor.split('/').slice(-2)
  if (!name) return ''
  switch (kind) {
    case 'container': {
      const c = containers().byName.get(name)
      return c ? containerName(c) : ''
    }
    case 'image':
      return images().byName.get(name)?.status?.repoTag ?? ''
    case 'volume':
      return volumes().byName.get(name)?.status?.name ?? ''
    case 'network':
      return networks().byName.get(name)?.status?.name ?? ''
    default:
      return ''
  }
}

function Found() {
  for (const all of [containers(), images(), volumes(), networks()]) void all.order.value
  const found = searchTree(treeNodes.value, wordsOf(search.value), nameOf)
  if (found.length === 0) return <Empty title="No actor matches">Search the name of a container, an image, a volume, a network or an actor.</Empty>
  return (
    <div class="card tree" role="table" aria-label="Actors that match">
      <Head />
      {found.slice(0, mostFound).map((node) => (
        <div key={node.name} role="row" class="tree-row">
          <span role="cell" class="actor">
            <span class="path">{node.name}</span>
            {nameOf(node.name) && <span class="badge">{nameOf(node.name)}</span>}
          </span>
          <Cells node={node} />
        </div>
      ))}
      {found.length > mostFound && <p class="detail">and {found.length - mostFound} more: search for more of the name</p>}
    </div>
  )
}

function Failures() {
  const failures = treeFailures.value
  return (
    <article class="card" aria-labelledby="failures-title">
      <h2 id="failures-title">Last failures</h2>
      {failures.length === 0 && <p class="detail">No actor has failed since the daemon started.</p>}
      <ul class="events">
        {failures.map((f) => (
          <li key={`${f.name} ${f.at}`}>
            <Status tone={f.gaveUp ? 'bad' : 'warn'}>{f.name}</Status>
            <span class="detail">
              {age(f.at, now.value)} ago{f.gaveUp ? ', not restarted' : ''}
            </span>
            <p class="message">{f.error}</p>
          </li>
        ))}
      </ul>
    </article>
  )
}
