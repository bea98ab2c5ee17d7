// The page of rdd.
//
// Reading map:
//
//   api/     requests, the socket of all watches, types of resources
//   store/   what the page knows: collections of resources, the tree, actions
//   lib/     pure functions, with their tests: texts, groups, trees, forms
//   ui/      small parts: table, menu, dialog, chart, states
//   views/   the views; views/container has the parts of a container's page

import { effect } from '@preact/signals'
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { getJSON, signedOut } from './api/http'
import { connection, socket } from './api/socket'
import type { Session } from './api/types'
import { containers, session } from './store/resources'
import { route } from './ui/router'
import { Loading } from './ui/states'
import { ContainerPage } from './views/container/page'
import { Containers } from './views/containers'
import { Doctor } from './views/doctor'
import { Images } from './views/images'
import { Networks } from './views/networks'
import { Overview } from './views/overview'
import { Settings } from './views/settings'
import { Frame, SignedOut, sections } from './views/shell'
import { Tree } from './views/tree'
import { Volumes } from './views/volumes'

// These views show why a daemon does not start.
const needsNoSession = new Set(['tree', 'doctor'])

function View() {
  const { view, parts } = route.value
  switch (view) {
    case 'containers':
      return parts[0] ? <ContainerPage key={parts[0]} name={parts[0]} /> : <Containers />
    case 'images':
      return <Images />
    case 'volumes':
      return <Volumes />
    case 'networks':
      return <Networks />
    case 'tree':
      return <Tree />
    case 'settings':
      return <Settings />
    case 'doctor':
      return <Doctor />
    default:
      return <Overview />
  }
}

function Page() {
  const { view, parts } = route.value
  useEffect(() => {
    const title = sections.find(([id]) => id === view)?.[1] ?? 'Overview'
    if (!parts[0]) document.title = `${title} · rdd`
    // The focus follows a change of the view, so that a screen reader reads its heading.
    if (document.activeElement === document.body || document.activeElement?.closest('.sidebar')) return
    document.getElementById('main')?.focus({ preventScroll: true })
  }, [view, parts[0]])
  if (signedOut.value) return <SignedOut />
  return <Frame>{session.value || needsNoSession.has(view) ? <View /> : <Loading what="the page" />}</Frame>
}

let sessionReads = 0

// readSession reads what the page needs before it can read anything else. The daemon refuses
// it while it starts.
async function readSession(): Promise<void> {
  const run = ++sessionReads
  while (run === sessionReads) {
    try {
      session.value = await getJSON<Session>('/session')
      // The daemon has sent this list with the document, and nearly every view uses it.
      containers()
      return
    } catch {
      if (signedOut.value) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

void readSession()
// After a lost connection, the daemon can have another version and another hub.
let isLost = false
effect(() => {
  const { state } = connection.value
  if (state === 'open' && isLost) void readSession()
  isLost = state === 'lost'
})
socket.open()

// patience is how long, in milliseconds, the first frame waits for the first list. An earlier
// frame without it would only make the list later.
const patience = 150

// firstList returns when the first list can be drawn.
function firstList(): Promise<void> {
  return new Promise((resolve) => {
    effect(() => {
      if (session.value && containers().phase.value.name === 'ready') resolve()
    })
  })
}

await Promise.race([firstList(), new Promise((resolve) => setTimeout(resolve, patience))])
render(<Page />, document.getElementById('page')!)
