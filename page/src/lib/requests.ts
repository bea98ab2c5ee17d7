// The state of requests, such as a pull.

import type { Progress, Pruned, PruneRequest, Request } from '../api/types'
import { bytes } from './format'

export type RequestState = 'waiting' | 'running' | 'complete' | 'failed'

export function requestState(r: Request): RequestState {
  const find = (type: string) => r.status?.conditions?.find((c) => c.type === type)
  if (find('Failed')?.status === 'True') return 'failed'
  const complete = find('Complete')
  if (complete?.status === 'True') return 'complete'
  return complete?.reason === 'InProgress' ? 'running' : 'waiting'
}

// share returns how far a transfer is, from 0 to 1; undefined if that is not known.
export function share(p: Progress | undefined): number | undefined {
  if (p?.totalBytes) return Math.min(1, (p.bytes ?? 0) / p.totalBytes)
  if (p?.totalLayers) return Math.min(1, (p.layers ?? 0) / p.totalLayers)
  return undefined
}

export function progressText(p: Progress | undefined): string {
  if (!p) return ''
  const parts: string[] = []
  if (p.phase) parts.push(p.phase)
  if (p.totalLayers) parts.push(`${p.layers ?? 0} of ${p.totalLayers} layers`)
  if (p.totalBytes) parts.push(`${bytes(p.bytes ?? 0)} of ${bytes(p.totalBytes)}`)
  return parts.join(', ')
}

// pruneKey identifies an object in the results of two prunes.
export function pruneKey(p: Pruned): string {
  return [p.kind, p.resource ?? p.name].join(' ')
}

// samePruned reports whether two prunes have the same objects.
export function samePruned(a: PruneRequest, b: PruneRequest): boolean {
  if ((a.status?.prunedCount ?? 0) !== (b.status?.prunedCount ?? 0)) return false
  const known = new Set((a.status?.pruned ?? []).map(pruneKey))
  return (b.status?.pruned ?? []).every((p) => known.has(pruneKey(p)))
}
