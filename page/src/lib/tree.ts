// The supervision tree: branches from a flat list of actors.

import type { Failure, TreeNode } from '../api/types'
import { compare } from './containers'
import { parseTime } from './format'

export interface Branch extends TreeNode {
  // label is the part of the name below the parent.
  label: string
  // count is the number of actors in one branch, which is above 1 for a kind of mirrors.
  count: number
  // states counts the states of the actors.
  states: Map<string, number>
  children: Branch[]
}

// grow builds the branches. The parent of an actor is the longest other name that is a
// path above it. Actors of one kind are one branch with sums.
export function grow(nodes: TreeNode[]): Branch[] {
  const byName = new Map<string, Branch>()
  for (const node of nodes) byName.set(node.name, branch(node, node.name))
  const roots: Branch[] = []
  for (const b of byName.values()) {
    const parent = parentOf(b.name, byName)
    if (!parent) {
      roots.push(b)
      continue
    }
    b.label = b.name.slice(parent.name.length + 1)
    parent.children.push(b)
  }
  for (const b of byName.values()) b.children = aggregate(b)
  return roots.sort((a, b) => compare(a.label, b.label))
}

function branch(node: TreeNode, label: string): Branch {
  return { ...node, label, count: 1, states: new Map([[node.state, 1]]), children: [] }
}

function parentOf(name: string, byName: Map<string, Branch>): Branch | undefined {
  for (let cut = name.lastIndexOf('/'); cut > 0; cut = name.lastIndexOf('/', cut - 1)) {
    const found = byName.get(name.slice(0, cut))
    if (found) return found
  }
  return undefined
}

// isMember reports whether an actor is one of many of its kind: KIND/NAME without
// children.
function isMember(b: Branch): boolean {
  return b.label.includes('/') && b.children.length === 0
}

function aggregate(parent: Branch): Branch[] {
  const kinds = new Map<string, Branch[]>()
  const out: Branch[] = []
  for (const child of parent.children) {
    if (!isMember(child)) {
      out.push(child)
      continue
    }
    const kind = child.label.slice(0, child.label.indexOf('/'))
    const members = kinds.get(kind)
    if (members) members.push(child)
    else kinds.set(kind, [child])
  }
  for (const [kind, members] of kinds) out.push(sum(parent.name, kind, members))
  return out.sort((a, b) => compare(a.label, b.label))
}

// sum returns one branch for the actors of a kind. Its time is that of the last change.
function sum(parent: string, kind: string, members: Branch[]): Branch {
  const total: Branch = {
    name: `${parent}/${kind}`,
    label: kind,
    state: '',
    since: '',
    restarts: 0,
    mailbox: 0,
    count: members.length,
    states: new Map(),
    children: [],
  }
  for (const m of members) {
    total.states.set(m.state, (total.states.get(m.state) ?? 0) + 1)
    total.restarts += m.restarts
    total.mailbox += m.mailbox
    if (m.since > total.since) total.since = m.since
    if (m.lastFailure && (m.lastFailureAt ?? '') >= (total.lastFailureAt ?? '')) {
      total.lastFailure = `${m.label}: ${m.lastFailure}`
      total.lastFailureAt = m.lastFailureAt
    }
  }
  total.state = stateText(total.states)
  return total
}

// stateText returns "mirrored", or "3 mirrored, 1 failed" for several states.
export function stateText(states: Map<string, number>): string {
  const entries = [...states].sort(([a], [b]) => compare(a, b))
  if (entries.length === 1) return entries[0]![0]
  return entries.map(([state, n]) => `${n} ${state}`).join(', ')
}

export interface Line {
  branch: Branch
  depth: number
  hasChildren: boolean
}

// lines returns the branches that are visible, from top to bottom.
export function lines(roots: Branch[], closed: Set<string>): Line[] {
  const out: Line[] = []
  const walk = (branches: Branch[], depth: number): void => {
    for (const b of branches) {
      out.push({ branch: b, depth, hasChildren: b.children.length > 0 })
      if (!closed.has(b.name)) walk(b.children, depth + 1)
    }
  }
  walk(roots, 0)
  return out
}

const mostFailures = 200

// mergeFailures adds failures that the history does not have yet. The latest one is first.
export function mergeFailures(history: Failure[], more: Failure[]): Failure[] {
  const known = new Set(history.map((f) => `${f.name}\0${f.at}`))
  const fresh = more.filter((f) => !known.has(`${f.name}\0${f.at}`))
  if (fresh.length === 0) return history
  return [...fresh, ...history].sort((a, b) => (parseTime(b.at) ?? 0) - (parseTime(a.at) ?? 0)).slice(0, mostFailures)
}

// search returns the actors whose name, state or known name has all words.
export function search(nodes: TreeNode[], words: string[], known: (name: string) => string): TreeNode[] {
  return nodes.filter((n) => {
    const text = `${n.name} ${n.state} ${known(n.name)}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
