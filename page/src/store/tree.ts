// The supervision tree, which is followed while a view shows it.

import { signal } from '@preact/signals'
import { connection, socket, type Ended } from '../api/socket'
import type { Failure, TreeEvent, TreeNode } from '../api/types'
import { mergeFailures } from '../lib/tree'
import type { Phase } from './collection'
import { nextFrame } from './frame'

const nodes = new Map<string, TreeNode>()

// treeNodes are the actors, and treeFailures the last failures, the latest one first. They
// include those of earlier daemons that this page has seen.
export const treeNodes = signal<TreeNode[]>([])
export const treeFailures = signal<Failure[]>([])
export const treePhase = signal<Phase>({ name: 'idle' })

let users = 0
let stopWatch: (() => void) | undefined

// followTree follows the tree until the returned function is called.
export function followTree(): () => void {
  if (users++ === 0) begin()
  return () => {
    if (--users > 0) return
    stopWatch?.()
    stopWatch = undefined
  }
}

function begin(): void {
  if (treePhase.value.name === 'idle') treePhase.value = { name: 'loading' }
  void socket.opens().then(() => {
    if (users === 0 || stopWatch) return
    stopWatch = socket.watch('/tree', { event: (event) => receive(event as unknown as TreeEvent), ended })
  })
}

function receive(event: TreeEvent): void {
  if (event.type === 'SNAPSHOT') nodes.clear()
  for (const name of event.gone ?? []) nodes.delete(name)
  for (const node of event.nodes ?? []) nodes.set(node.name, node)
  if (event.failures?.length) treeFailures.value = mergeFailures(treeFailures.value, event.failures)
  nextFrame(publish)
}

function publish(): void {
  treeNodes.value = [...nodes.values()]
  treePhase.value = { name: 'ready' }
}

function ended(why: Ended): void {
  stopWatch = undefined
  const { name } = treePhase.value
  const error = why.code === 0 || why.code === 200 ? undefined : why.message
  treePhase.value = { name: name === 'loading' && error ? 'error' : name, stale: true, ...(error ? { error } : {}) }
  if (users > 0) setTimeout(begin, connection.value.state === 'open' ? 1000 : 0)
}
