// What the views show of containers, derived from the resource.

import type { Condition, Container, LastAction, Port } from '../api/types'
import { capital, parseTime, since } from './format'

export const projectLabel = 'com.docker.compose.project'
export const serviceLabel = 'com.docker.compose.service'
export const actionAnnotation = 'containers.rancherdesktop.io/action'

export type Tone = 'good' | 'busy' | 'bad' | 'off' | 'warn'

// containerName returns the name that people use.
export function containerName(c: Container): string {
  return c.status?.name || c.metadata.name.slice(0, 12)
}

export function project(c: Container): string {
  return c.status?.labels?.[projectLabel] ?? ''
}

// containerKey returns all that sorting, grouping and filtering of containers use.
export function containerKey(c: Container): string {
  return [c.status?.name, project(c), c.status?.status, c.status?.image, c.status?.startedAt].join('\0')
}

// isRunning reports whether the container has processes.
export function isRunning(c: Container): boolean {
  return ['running', 'paused', 'pausing', 'restarting'].includes(c.status?.status ?? '')
}

// statusText returns the status as docker ps words it.
export function statusText(c: Container, now: number): string {
  const s = c.status ?? {}
  if (c.metadata.deletionTimestamp) return 'Deleting'
  const ended = s.finishedAt ? `(${s.exitCode ?? 0}) ${since(s.finishedAt, now)} ago` : `(${s.exitCode ?? 0})`
  switch (s.status) {
    case 'running':
      return `Up ${since(s.startedAt, now)}`
    case 'paused':
      return 'Paused'
    case 'pausing':
      return 'Pausing'
    case 'restarting':
      return `Restarting ${ended}`
    case 'exited':
      return `Exited ${ended}`
    case 'created':
      return s.error ? 'Created (start failed)' : 'Created'
    default:
      return capital(s.status ?? 'unknown')
  }
}

// healthText returns the health, or an empty text for a container without a check.
export function healthText(c: Container): string {
  const health = c.status?.health?.status
  return c.status?.status === 'running' && health && health !== 'none' ? health : ''
}

// tone returns the color of the status.
export function tone(c: Container): Tone {
  const s = c.status ?? {}
  if (c.metadata.deletionTimestamp || s.status === 'removing') return 'busy'
  switch (s.status) {
    case 'running':
      if (s.health?.status === 'unhealthy') return 'bad'
      return s.health?.status === 'starting' ? 'busy' : 'good'
    case 'paused':
    case 'pausing':
      return 'warn'
    case 'restarting':
      return 'busy'
    case 'dead':
      return 'bad'
    case 'exited':
      return s.exitCode ? 'bad' : 'off'
    default:
      return s.error ? 'bad' : 'off'
  }
}

// A failed action is shown for ten minutes, as by rdd ctl get.
const recentAction = 10 * 60_000

// refusal returns what the engine refuses, in its own words, or an empty text.
export function refusal(c: Container, now: number): string {
  const conditions = c.status?.conditions ?? []
  const find = (type: string): Condition | undefined => conditions.find((x) => x.type === type && x.status === 'False')
  const deletion = find('EngineDeleted')
  if (deletion && c.metadata.deletionTimestamp) return `Delete refused: ${cause(deletion.message)}`
  const reached = find('StateReached')
  if (reached) return `${c.spec?.state === 'created' ? 'Stop' : 'Start'} refused: ${cause(reached.message)}`
  const mirrored = find('Mirrored')
  if (mirrored) return `Out of date: ${mirrored.message}`
  const last = c.status?.lastAction
  const completed = parseTime(last?.completedAt)
  if (!last || last.state !== 'Failed' || completed === undefined || now - completed > recentAction) return ''
  for (const later of [c.status?.startedAt, c.status?.finishedAt]) {
    if ((parseTime(later) ?? 0) > completed) return ''
  }
  return `${capital(last.action)} refused: ${cause(last.error ?? '')}`
}

// failedAction returns the error of an action that has failed since the last action was
// before, or undefined.
export function failedAction(c: Container, name: string, before: LastAction | undefined): string | undefined {
  const last = c.status?.lastAction
  if (last?.action !== name || last.state !== 'Failed' || last.completedAt === before?.completedAt) return undefined
  return cause(last.error ?? '')
}

// refusedDeletion returns why the engine does not remove an object, or an empty text.
export function refusedDeletion(o: { metadata: { deletionTimestamp?: string }; status?: { conditions?: Condition[] } }): string {
  if (!o.metadata.deletionTimestamp) return ''
  const conditions = o.status?.conditions ?? []
  const refused = conditions.find((c) => c.type === 'EngineDeleted' && c.status === 'False')
  if (refused) return `Delete refused: ${cause(refused.message)}`
  const held = conditions.find((c) => c.type === 'Held' && c.status === 'True')
  return held ? held.message : ''
}

// cause returns the engine's own words of a message, without the prefixes of clients.
export function cause(message: string): string {
  return message.replace(/^(Error response from daemon: )+/, '').trim()
}

// action returns the action that is requested or carried out now, or an empty text.
export function action(c: Container): string {
  return c.metadata.annotations?.[actionAnnotation] ?? (c.status?.lastAction?.state === 'Running' ? c.status.lastAction.action : '')
}

const doing: Record<string, string> = {
  start: 'Starting',
  stop: 'Stopping',
  restart: 'Restarting',
  kill: 'Killing',
  pause: 'Pausing',
  unpause: 'Resuming',
}

// progressText returns the action in progress in words, or an empty text.
export function progressText(c: Container): string {
  const current = action(c)
  return current ? (doing[current] ?? current) : ''
}

// possibleActions returns the actions that make sense for the status.
export function possibleActions(c: Container): string[] {
  if (c.metadata.deletionTimestamp) return []
  switch (c.status?.status) {
    case 'running':
      return ['stop', 'restart', 'pause', 'kill']
    case 'paused':
      return ['unpause', 'stop', 'restart']
    case 'restarting':
      return ['stop', 'kill']
    default:
      return ['start']
  }
}

export interface PublishedPort {
  text: string
  // url is the address to open, if the port can be a web server's.
  url?: string
}

// publishedPorts returns the ports that the host publishes, one for each number.
export function publishedPorts(ports: Port[] | undefined): PublishedPort[] {
  const found = new Map<string, PublishedPort>()
  for (const port of ports ?? []) {
    for (const binding of port.bindings ?? []) {
      if (!binding.hostPort) continue
      const suffix = port.protocol === 'tcp' ? '' : `/${port.protocol}`
      const text = `${binding.hostPort}→${port.containerPort}${suffix}`
      if (found.has(text)) continue
      const published: PublishedPort = { text }
      if (port.protocol === 'tcp') published.url = `${scheme(port.containerPort)}://${host(binding.hostIP)}:${binding.hostPort}/`
      found.set(text, published)
    }
  }
  return [...found.values()]
}

function scheme(port: number): string {
  return port === 443 || port === 8443 ? 'https' : 'http'
}

function host(ip: string | undefined): string {
  if (!ip || ip === '0.0.0.0' || ip === '::') return 'localhost'
  return ip.includes(':') ? `[${ip}]` : ip
}

export interface Group {
  // project is empty for the containers outside of Compose.
  project: string
  members: Container[]
  running: number
}

// groups sorts containers by project, and by name below it. The containers without a
// project come last.
export function groups(all: Iterable<Container>): Group[] {
  const byProject = new Map<string, Group>()
  for (const c of all) {
    const name = project(c)
    let group = byProject.get(name)
    if (!group) byProject.set(name, (group = { project: name, members: [], running: 0 }))
    group.members.push(c)
    if (c.status?.status === 'running') group.running++
  }
  const list = [...byProject.values()]
  for (const group of list) group.members = inOrder(group.members, containerName)
  return list.sort((a, b) => Number(!a.project) - Number(!b.project) || compare(a.project, b.project))
}

const digits = /(\d+)/

// compare compares names; numbers in them compare as numbers: web-2 is before web-10.
export function compare(a: string, b: string): number {
  return a === b ? 0 : compareParts(a.split(digits), b.split(digits))
}

// inOrder returns the items in the order that compare gives their names. It splits each
// name once.
export function inOrder<T>(items: Iterable<T>, nameOf: (item: T) => string): T[] {
  const keyed = Array.from(items, (item) => ({ item, parts: nameOf(item).split(digits) }))
  return keyed.sort((a, b) => compareParts(a.parts, b.parts)).map(({ item }) => item)
}

function compareParts(left: string[], right: string[]): number {
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i]!
    const y = right[i]!
    if (x === y) continue
    if (i % 2 === 1 && Number(x) !== Number(y)) return Number(x) - Number(y)
    return x < y ? -1 : 1
  }
  return left.length - right.length
}

// matches reports whether a container has all words of a search in its name, image,
// project, status or ports.
export function matches(c: Container, words: string[]): boolean {
  if (words.length === 0) return true
  const text = [
    containerName(c),
    c.status?.image,
    project(c),
    c.status?.status,
    c.metadata.name.slice(0, 12),
    ...publishedPorts(c.status?.ports).map((p) => p.text),
  ]
    .join(' ')
    .toLowerCase()
  return words.every((word) => text.includes(word))
}

// wordsOf splits what a user searches for.
export function wordsOf(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean)
}
